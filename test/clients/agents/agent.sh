#!/bin/sh
# An agent that does what its stdin says, a command a line, and says when the call returned.
set -eu
. "$SHIPLOG_SH"
shiplog_open
tab=$(printf '\t')
while IFS=$tab read -r name a b c; do
  began=$(date +%s%3N)
  result=
  case $name in
    start) shiplog_start_task "$a" "$b" "$c" ;;
    finish) shiplog_finish_task "$a" "$b" ;;
    step) shiplog_step "$a" "$b" "$c" ;;
    running) shiplog_running "$a" ;;
    line) shiplog_line "$a" STDERR WARN ;;
    lines) seq "$a" "$b" | sed 's/^/line /' | shiplog_lines ;;
    long) shiplog_line "$(head -c "$a" /dev/zero | tr '\0' x)" ;;
    progress) shiplog_progress "$a" "$b" "$c" ;;
    succeeded) shiplog_succeeded ;;
    failed) shiplog_failed "$a" "$b" ;;
    chdir) cd "$a" ;;
    flush) if shiplog_flush "$a"; then result=true; else result=false; fi ;;
    close) shiplog_close "$a"; result=0 ;;
  esac
  echo "done $name $(($(date +%s%3N) - began)) $result"
done
