#!/bin/sh
# Reports what a script does to Shiplog. One file for a POSIX shell with curl, to be copied beside
# the script.
#
#   sh shiplog.sh run TASK HOST STEP COMMAND ARGUMENTS…   wraps a command
#   . ./shiplog.sh                                        for the functions below
#
# SHIPLOG_URL          the server; default http://localhost:4000
# SHIPLOG_TOKEN, SHIPLOG_TOKEN_FILE   the file is read before every request
# SHIPLOG_SPOOL        a directory for what is not delivered yet. Without it, what is not delivered
#                      when the script ends is lost
# SHIPLOG_SPOOL_BYTES  bounds the output of a step that waits in it; default 8 MiB
# SHIPLOG_ATTEMPT      of `run`; default 1
#
# No call waits for the network. A call appends its event to a file; one process in the background
# (the sender) delivers the files and tries again until the server has them. Each event has an id from the
# beginning, so what is sent twice counts once: after a lost answer, and also when the script was
# killed and the next one finds its files.

_shiplog_call_seconds=5
_shiplog_batch=500
_shiplog_batch_bytes=524288
_shiplog_least_bytes=4096
_shiplog_stderr=2
_shiplog_segments=8
_shiplog_orphan_seconds=60

# Starts the sender, and adopts what killed scripts left in the spool directory. Where there is no place for what is
# to be sent, nothing is reported, and no call fails.
shiplog_open() {
  _shiplog_is_off=
  _shiplog_id=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  _shiplog_step_number=0
  _shiplog_is_temporary=
  _shiplog_closing=
  _shiplog_before=0
  _shiplog_set_back=0
  _shiplog_owner=
  _shiplog_unwritten=0
  _shiplog_is_torn=
  _shiplog_output_bytes=${SHIPLOG_SPOOL_BYTES:-}
  case $_shiplog_output_bytes in '' | *[!0-9]*) _shiplog_output_bytes=8388608 ;; esac
  _shiplog_root=${SHIPLOG_SPOOL:-}
  if [ -n "$_shiplog_root" ] && ! _shiplog_make_dir; then
    _shiplog_say "$_shiplog_root cannot be written to; what is not delivered at the end is lost"
    _shiplog_root=
  fi
  if [ -z "$_shiplog_root" ]; then
    _shiplog_is_temporary=yes
    if ! { _shiplog_root=$(mktemp -d) && _shiplog_make_dir; }; then
      _shiplog_say 'there is no place for what is to be sent: nothing is reported'
      _shiplog_is_off=yes
      [ -z "$_shiplog_root" ] || rmdir "$_shiplog_root" 2>/dev/null || :
      return 0
    fi
  fi
  # Room for the ends of steps where output has filled the disk.
  (umask 077 && head -c 16384 /dev/zero >"$_shiplog_dir/reserve") 2>/dev/null || :
  _shiplog_adopt || :
  _shiplog_is_mawk=
  case $(awk -W version 2>&1 </dev/null) in mawk*) _shiplog_is_mawk=yes ;; esac
  command -v curl >/dev/null || _shiplog_say 'there is no curl: nothing can be delivered'
  # No child of the script: its `wait` must not wait for the sender. Nor may it hold what the script has open, such as
  # a lock, when that was killed.
  _shiplog_sender=$(
    (
      # By exec: around a list, some shells keep a copy of what they redirect.
      exec </dev/null >/dev/null 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
      # What the programs say that it calls when it is stopped is nobody's business.
      exec 4>&2 2>/dev/null
      _shiplog_stderr=4
      _shiplog_settings
      trap '' INT HUP PIPE TERM
      umask 077
      case ${SHIPLOG_TOKEN_FILE:-} in '' | /*) ;; *) SHIPLOG_TOKEN_FILE=$PWD/$SHIPLOG_TOKEN_FILE ;; esac
      cd / # it does not keep a directory busy
      # Only bash gives out higher numbers.
      [ -z "${BASH_VERSION:-}" ] ||
        for _shiplog_fd in 10 11 12 13 14 15 16 17 18 19; do eval "exec $_shiplog_fd>&-"; done
      _shiplog_send_all
    ) &
    _shiplog_identity "$!"
  )
  (umask 077 && printf '%s\n' "$_shiplog_sender" >"$_shiplog_dir/sender") || :
}

# In a subshell: what the script has set for itself (IFS, -f, -C, and what a strict mode may have) does not hold there,
# nor does the trace of set -x show a token.
_shiplog_settings() {
  set +aefvxC
  unset IFS
  if [ -n "${BASH_VERSION:-}" ]; then
    trap - ERR DEBUG
    shopt -u failglob nullglob
  fi
}

_shiplog_make_dir() {
  case $_shiplog_root in /*) ;; *) _shiplog_root=$PWD/$_shiplog_root ;; esac # the script may go elsewhere
  _shiplog_dir=$_shiplog_root/sh-$_shiplog_id
  (
    umask 077
    mkdir -p "$_shiplog_root" && mkdir "$_shiplog_dir" || exit 1
    # An empty one would be taken for that of a dead script.
    { _shiplog_identity $$ >"$_shiplog_dir/pid.new"; } 2>/dev/null && mv "$_shiplog_dir/pid.new" "$_shiplog_dir/pid" && exit
    rm -rf "$_shiplog_dir"
    exit 1
  )
}

# Says what the calls below are about: TASK HOST STEP [ATTEMPT, from 1].
shiplog_step() {
  [ -z "$_shiplog_is_off" ] || return 0
  _shiplog_task=$1
  _shiplog_host=$2
  _shiplog_step=$3
  _shiplog_attempt=${4:-1}
  _shiplog_began=$(date +%s)
  _shiplog_new_writer
  _shiplog_alive=$_shiplog_base.alive
}

# The step begins: [COMMAND]. From now on it is said to live, until one of the ends.
shiplog_running() {
  [ -z "$_shiplog_is_off" ] || return 0
  _shiplog_began=$(date +%s)
  _shiplog_status RUNNING '?command' "${1:-}"
  (umask 077 && _shiplog_json taskId "$_shiplog_task" host "$_shiplog_host" step "$_shiplog_step" \
    '#attempt' "$_shiplog_attempt" >|"$_shiplog_alive") || :
}

# Output: TEXT [STDOUT or STDERR [LEVEL]].
shiplog_line() {
  [ -z "$_shiplog_is_off" ] || return 0
  _shiplog_own_writer
  _shiplog_piece=$(_shiplog_segment_file "$_shiplog_segment")
  _shiplog_bytes=$({ wc -c <"$_shiplog_piece"; } 2>/dev/null) || _shiplog_bytes=0
  if [ "$_shiplog_bytes" -gt $((_shiplog_output_bytes / _shiplog_segments)) ]; then
    _shiplog_mark "$_shiplog_piece.end"
    _shiplog_segment=$((_shiplog_segment + 1))
    _shiplog_piece=$(_shiplog_segment_file "$_shiplog_segment")
    _shiplog_drop "$(_shiplog_segment_file $((_shiplog_segment - _shiplog_segments)))"
  fi
  _shiplog_output=$((_shiplog_output + 1))
  _shiplog_event "$_shiplog_piece" o "$_shiplog_output" \
    '?stream' "${2:-}" '?level' "${3:-}" message "$1"
}

# Their names sort as their numbers do: the sender takes them in the order of their names.
_shiplog_segment_file() { printf '%s.o.%06d.ndjson' "$_shiplog_base" "$1"; }

# Output, the lines of stdin: [STDOUT or STDERR]. For pipes: command | shiplog_lines.
shiplog_lines() {
  [ -z "$_shiplog_is_off" ] || { cat >/dev/null && return; }
  _shiplog_new_writer
  _shiplog_encode "${1:-STDOUT}"
}

# DONE [TOTAL [UNIT]].
shiplog_progress() {
  [ -z "$_shiplog_is_off" ] || return 0
  _shiplog_own_writer
  _shiplog_count=$((_shiplog_count + 1))
  _shiplog_progress=$(_shiplog_json '#done' "$1" '?#total' "${2:-}" '?unit' "${3:-}")
  _shiplog_event "$_shiplog_base.s.ndjson" s "$_shiplog_count" '#progress' "{$_shiplog_progress}"
}

shiplog_succeeded() { _shiplog_end SUCCEEDED '#exitCode' 0; }

# EXITCODE [MESSAGE]. The message is what a person reads first: put the reason there.
shiplog_failed() { _shiplog_failure FAILED "$@"; }

# EXITCODE [MESSAGE].
shiplog_timed_out() { _shiplog_failure TIMED_OUT "$@"; }

# [WHY].
shiplog_cancelled() { _shiplog_end CANCELLED '?message' "${1:-}"; }

# [WHY].
shiplog_skipped() { _shiplog_end SKIPPED '?message' "${1:-}"; }

# Declares a task: ID [SERVICE [VERSION [ENVIRONMENT]]]. One that is not begins with its first event.
shiplog_start_task() {
  _shiplog_mutation startTask StartTaskInput id "$1" '?service' "${2:-}" '?version' "${3:-}" \
    '?environment' "${4:-}"
}

# Ends a task: ID [SUCCEEDED, PARTIAL, FAILED or CANCELLED [MESSAGE]].
shiplog_finish_task() {
  _shiplog_mutation finishTask FinishTaskInput id "$1" '?status' "${2:-}" '?message' "${3:-}"
}

# Waits until all is delivered, at most SECONDS. Fails if it is not.
shiplog_flush() {
  [ -z "$_shiplog_is_off" ] || return 0
  _shiplog_look_at_clock
  _shiplog_until=$((_shiplog_clock + $1))
  _shiplog_mark "$_shiplog_dir/hurry"
  # Asked once a round: a sign of life may come right behind the last event.
  while _shiplog_rest=$(_shiplog_left) && [ "$_shiplog_rest" -gt 0 ]; do
    _shiplog_look_at_clock
    [ "$_shiplog_clock" -lt "$_shiplog_until" ] || break
    # At the end nobody is held up because the server is away.
    [ -z "$_shiplog_closing" ] || [ ! -e "$_shiplog_dir/away" ] ||
      [ "$_shiplog_clock" -le "$_shiplog_closing" ] || break
    _shiplog_nap
  done
  rm -f "$_shiplog_dir/hurry"
  [ "$_shiplog_rest" -eq 0 ]
}

# Sets _shiplog_clock to seconds that go on where the system's clock is set back.
_shiplog_look_at_clock() {
  _shiplog_now=$(date +%s)
  [ "$_shiplog_now" -ge "$_shiplog_before" ] ||
    _shiplog_set_back=$((_shiplog_set_back + _shiplog_before - _shiplog_now))
  _shiplog_before=$_shiplog_now
  _shiplog_clock=$((_shiplog_now + _shiplog_set_back))
}

# Waits for deliveries at most [SECONDS, default 5; 1 where the server is away], then stops the sender. What is left in a spool
# directory is delivered by the next script.
shiplog_close() {
  [ -z "$_shiplog_is_off" ] || return 0
  (_shiplog_settings && rm -f "$_shiplog_dir"/*.alive) || :
  _shiplog_look_at_clock
  _shiplog_closing=$((_shiplog_clock + 1))
  shiplog_flush "${1:-5}" || :
  _shiplog_stop_sender
  _shiplog_rest=$(_shiplog_left)
  if [ "$_shiplog_rest" -eq 0 ] || [ -n "$_shiplog_is_temporary" ]; then
    rm -rf "$_shiplog_dir"
    [ -z "$_shiplog_is_temporary" ] || rmdir "$_shiplog_root" 2>/dev/null || :
  fi
  [ "$_shiplog_rest" -eq 0 ] || _shiplog_say "$_shiplog_rest events were not delivered"
  [ "$_shiplog_unwritten" -eq 0 ] ||
    _shiplog_say "$_shiplog_unwritten events could not be written to $_shiplog_root"
}

_shiplog_stop_sender() {
  # Its number may be another's by now.
  ! _shiplog_lives "$_shiplog_sender" || kill -KILL "${_shiplog_sender%% *}" 2>/dev/null || :
  for _shiplog_try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    _shiplog_lives "$_shiplog_sender" || return 0
    _shiplog_nap
  done
}

# TASK HOST STEP COMMAND ARGUMENTS…: runs the command, reports its start, its lines and its end, and
# returns its exit code. Its output goes through as it is. The step and the traps of the script stay as they are.
shiplog_run() (
  # The command hears of Ctrl-C and of a service's end by itself; how it ends is still to be reported.
  trap : INT HUP TERM
  shiplog_step "$1" "$2" "$3" "${SHIPLOG_ATTEMPT:-1}"
  shift 3
  if [ -n "$_shiplog_is_off" ]; then
    "$@"
    return
  fi
  shiplog_running "$(unset IFS && printf '%s' "$*")"
  _shiplog_code=0
  if mkfifo -m 600 "$_shiplog_base.STDOUT" "$_shiplog_base.STDOUT.copy" \
    "$_shiplog_base.STDERR" "$_shiplog_base.STDERR.copy"; then
    _shiplog_run_copied "$@" || _shiplog_code=$?
  else
    _shiplog_say "the output of the command is not reported"
    "$@" || _shiplog_code=$?
  fi
  if [ "$_shiplog_code" -eq 0 ]; then
    shiplog_succeeded
  else
    _shiplog_why=$(_shiplog_last_of STDERR) || :
    [ -z "$_shiplog_why" ] || _shiplog_why="{$_shiplog_why}"
    _shiplog_end FAILED '#exitCode' "$_shiplog_code" '?#error' "$_shiplog_why"
  fi
  return "$_shiplog_code"
)

# What copies its output is no child: whoever waits for all must not wait for what the command leaves running.
_shiplog_run_copied() {
  for _shiplog_stream in STDOUT STDERR; do
    # It reads to the end whatever happens to the disk: else tee, and then the command, would get SIGPIPE.
    (
      trap '' INT HUP TERM
      {
        _shiplog_encode "$_shiplog_stream" "$_shiplog_base.$_shiplog_stream.last"
        _shiplog_mark "$_shiplog_base.$_shiplog_stream.end"
      } <"$_shiplog_base.$_shiplog_stream.copy" &
    )
  done
  (
    trap '' INT HUP TERM
    tee "$_shiplog_base.STDOUT.copy" <"$_shiplog_base.STDOUT" &
    tee "$_shiplog_base.STDERR.copy" <"$_shiplog_base.STDERR" >&2 &
  )
  "$@" >"$_shiplog_base.STDOUT" 2>"$_shiplog_base.STDERR" || _shiplog_code=$?
  # What the command leaves running keeps its output open: it is not waited for beyond two seconds.
  for _shiplog_try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -e "$_shiplog_base.STDOUT.end" ] && [ -e "$_shiplog_base.STDERR.end" ] && break
    _shiplog_nap
  done
  return "$_shiplog_code"
}

# The last line of STREAM as a member of an object; nothing if it is empty. The events may have been sent and removed
# already, unless the stream is still open.
_shiplog_last_of() (
  _shiplog_settings
  if [ -s "$_shiplog_base.$1.last" ]; then
    cat "$_shiplog_base.$1.last"
  else
    cat "$_shiplog_base.e.$1."*.ndjson 2>/dev/null | tail -n 1
  fi | sed -n 's/.*"message":\("..*"\)}$/"message":\1/p'
)

# Events.

# Numbers count from 1 for each writer, so each step has its own, and each subshell: it cannot
# count on where its parent does.
_shiplog_new_writer() {
  _shiplog_step_number=$((_shiplog_step_number + 1))
  _shiplog_owner=$(exec sh -c 'echo $PPID')
  _shiplog_writer=$_shiplog_id.$_shiplog_step_number.$_shiplog_owner
  _shiplog_base=$_shiplog_dir/$(printf '%06d' "$_shiplog_step_number").$_shiplog_owner
  _shiplog_count=0
  _shiplog_output=0
  _shiplog_segment=1
}

_shiplog_own_writer() {
  [ "$_shiplog_owner" = "$(exec sh -c 'echo $PPID')" ] || _shiplog_new_writer
}

_shiplog_status() {
  _shiplog_own_writer
  _shiplog_count=$((_shiplog_count + 1))
  _shiplog_event "$_shiplog_base.s.ndjson" s "$_shiplog_count" status "$@"
}

_shiplog_failure() {
  [ -z "$_shiplog_is_off" ] || return 0
  _shiplog_error=
  [ -z "${3:-}" ] || _shiplog_error="{$(_shiplog_json message "$3")}"
  _shiplog_end "$1" '#exitCode' "${2:-1}" '?#error' "$_shiplog_error"
}

_shiplog_end() {
  [ -z "$_shiplog_is_off" ] || return 0
  rm -f "$_shiplog_alive"
  _shiplog_duration=$((($(date +%s) - _shiplog_began) * 1000))
  [ "$_shiplog_duration" -ge 0 ] || _shiplog_duration= # the clock was set back meanwhile
  _shiplog_status "$@" '?#durationMs' "$_shiplog_duration"
  _shiplog_piece=$(_shiplog_segment_file "$_shiplog_segment")
  [ ! -e "$_shiplog_piece" ] || _shiplog_mark "$_shiplog_piece.end"
  _shiplog_mark "$_shiplog_base.s.ndjson.end"
  _shiplog_new_writer
}

# FILE KIND NUMBER, then names and values.
_shiplog_event() {
  _shiplog_file=$1
  _shiplog_kind=$2
  _shiplog_number=$3
  shift 3
  _shiplog_append "$_shiplog_file" "{$(_shiplog_json taskId "$_shiplog_task" host "$_shiplog_host" \
    step "$_shiplog_step" '#attempt' "$_shiplog_attempt" \
    eventId "$_shiplog_writer.$_shiplog_kind.$_shiplog_number" \
    writer "$_shiplog_writer.$_shiplog_kind" '#sequence' "$_shiplog_number" \
    '#at' "$(date +%s)000" "$@")}"
}

_shiplog_mutation() {
  [ -z "$_shiplog_is_off" ] || return 0
  _shiplog_name=$1
  _shiplog_type=$2
  shift 2
  _shiplog_step_number=$((_shiplog_step_number + 1))
  _shiplog_owner=
  _shiplog_file=$_shiplog_dir/$(printf '%06d' "$_shiplog_step_number").$(exec sh -c 'echo $PPID').task.ndjson
  _shiplog_query="mutation (\$input: $_shiplog_type!) { $_shiplog_name(input: \$input) { task { id } } }"
  _shiplog_append "$_shiplog_file" "{$(_shiplog_json query "$_shiplog_query" '#variables' \
    "{\"input\":{$(_shiplog_json "$@" '#at' "$(date +%s)000")}}")}"
  _shiplog_mark "$_shiplog_file.end"
}

# A disk that is full must not end a deployment. Output gives way before what is said of steps and
# tasks, which may have the reserve.
_shiplog_append() {
  _shiplog_write "$1" "$2" && return
  _shiplog_is_torn=yes
  case $1 in *.s.ndjson | *.task.ndjson)
    if [ -e "$_shiplog_dir/reserve" ]; then
      rm -f "$_shiplog_dir/reserve"
      _shiplog_write "$1" "$2" && return
    fi
    ;;
  esac
  _shiplog_unwritten=$((_shiplog_unwritten + 1))
  # How many they are is said by shiplog_close, which does not hear of those of a subshell.
  [ "$_shiplog_owner" = $$ ] || [ "$_shiplog_unwritten" -gt 1 ] ||
    _shiplog_say "events could not be written to $1"
}

# Behind a line that could be written only in part another begins: that one is refused, and no other.
_shiplog_write() {
  _shiplog_start=
  if [ -n "$_shiplog_is_torn" ] && [ -s "$1" ] && [ "$(tail -c 1 "$1" | wc -l)" -eq 0 ]; then
    _shiplog_start='
'
  fi
  (umask 077 && printf '%s%s\n' "$_shiplog_start" "$2" >>"$1") 2>/dev/null
}

_shiplog_mark() { (umask 077 && : >"$1") 2>/dev/null || :; }

# Lines of stdin to events, with a writer of its own: STREAM [FILE for a copy of the last one]. In segments, the oldest
# of which gives way.
# Where awk fails (it does when the disk is full), the rest is read all the same, and what is missing is counted.
_shiplog_encode() {
  _shiplog_seen=$(
    {
      # What ends without an end of line makes some awks read what is left of an older line as another one.
      { tee /dev/fd/3 | wc -l >&4 && printf '\n%s is over\n' "$_shiplog_writer.$1" >&3; } 3>&1 |
        { _shiplog_encode_all "$@" 2>/dev/null || { cat >/dev/null && echo failed >&4; }; }
    } 4>&1
  ) || :
  [ -d "$_shiplog_dir" ] || return 0 # a daemon's, after shiplog_close
  case $_shiplog_seen in
    *missing*) _shiplog_lost=$(printf '%s\n' "$_shiplog_seen" | sed -n 's/^missing //p') ;;
    *failed*) _shiplog_awk_failed "$1" "$(printf %s "$_shiplog_seen" | tr -cd 0-9)" ;;
    *) return 0 ;;
  esac
  _shiplog_say "$_shiplog_lost lines of $1 could not be written to $_shiplog_root"
  _shiplog_event "$_shiplog_base.$1.unwritten.s.ndjson" "$1.unwritten" 1 level WARN message \
    "[shiplog] $_shiplog_lost lines of output were dropped here: there was no room for them"
  _shiplog_mark "$_shiplog_base.$1.unwritten.s.ndjson.end"
}

# STREAM LINES: how many of the lines are missing then.
_shiplog_awk_failed() {
  _shiplog_lost=$2
  _shiplog_piece=
  _shiplog_piece=$(
    _shiplog_settings
    for _shiplog_one in "$_shiplog_base.e.$1".[0-9]*.ndjson; do
      [ ! -e "$_shiplog_one" ] || _shiplog_piece=$_shiplog_one
    done
    printf '%s' "$_shiplog_piece"
  )
  if [ -n "$_shiplog_piece" ]; then
    _shiplog_first=${_shiplog_piece%.ndjson}
    _shiplog_lost=$((_shiplog_lost + 1 - ${_shiplog_first##*.} - $(wc -l <"$_shiplog_piece")))
    _shiplog_mark "$_shiplog_piece.end"
  fi
  _shiplog_mark "$_shiplog_base.e.$1.dropped.ndjson.end"
}

# mawk reads ahead unless it is told not to.
_shiplog_awk_as_it_comes() {
  [ -z "$_shiplog_is_mawk" ] || set -- -W interactive "$@"
  LC_ALL=C awk "$@"
}

_shiplog_encode_all() {
  (
    umask 077
    _shiplog_awk_as_it_comes "$_shiplog_awk_text"'
      # A name has the number of its first line. The last one stays until this ends, for who counts then.
      function next_segment(  before) {
        before = file
        if (before != "") look_after()
        bytes = lines = 0
        file = prefix "." sprintf("%06d.%d", ++segment, sequence + 1) ".ndjson"
        printf "" >>file
        names[segment] = file
        if (before != "") { close(before); printf "" >(before ".end"); close(before ".end") }
        if (segment <= segments) return
        old = names[segment - segments]
        delete names[segment - segments]
        lost = 0
        count = "n=$(wc -l 2>/dev/null <\"$1\") || exit; s=$(cat \"$1.sent\" 2>/dev/null);" \
          " case $s in \"\"|*[!0-9]*) s=0;; esac;" \
          " rm -f \"$1\" \"$1.sent\" \"$1.end\"; echo $((n - s))"
        count = "sh -c " sh(count) " sh " sh(old) " 2>/dev/null"
        count | getline lost
        close(count)
        if (lost > 0) {
          text = "[shiplog] " lost " lines of output were dropped here: they could not be delivered in time"
          print line_of(text, ",\"level\":\"WARN\"", writer ".dropped", ++notices) >>notes
          fflush(notes)
        }
      }
      # Not every awk says that it could not write.
      function look_after(  look, written) {
        look = "wc -l <" sh(file)
        look | getline written
        close(look)
        if (written + 0 < lines) missing += lines - written
      }
      function sh(text) { gsub(/\047/, "\047\\\\\047\047", text); return "\047" text "\047" }
      function line_of(text, more, who, number) {
        srand()
        return head ",\"eventId\":" quote(who "." number) ",\"writer\":" quote(who) \
          ",\"sequence\":" number ",\"at\":" srand() "000" more ",\"message\":" quote(text) "}"
      }
      BEGIN {
        prefix = ARGV[1]; writer = ARGV[2]; head = ARGV[3]; stream = ARGV[4]
        segments = ARGV[5]; most = ARGV[6] / segments; copy = ARGV[7]
        over = writer " is over"
        notes = prefix ".dropped.ndjson" # these do not give way
        ARGC = 1
        srand()
        next_segment()
      }
      # The last empty line is none where all lines had their end.
      $0 == over { if (empty > 0) empty--; exit }
      $0 == "" { empty++; next }
      { report_empty(); report($0) }
      function report_empty() { for (; empty > 0; empty--) report("") }
      function report(text) {
        sub(/\r+$/, "", text)
        sub(/.*\r/, "", text)
        line = line_of(text, stream, writer, ++sequence)
        print line >>file
        fflush(file)
        bytes += length(line) + 1
        lines++
        if (bytes > most) next_segment()
      }
      END {
        report_empty()
        look_after()
        if (missing > 0) print "missing " missing
        close(file)
        # By another program: that it cannot be written is no fault of the lines.
        if (copy != "") print line | ("cat 2>/dev/null >" sh(copy))
        printf "" >(file ".end")
        printf "" >(notes ".end")
      }
    ' "$_shiplog_base.e.$1" "$_shiplog_writer.$1" "{$(_shiplog_json taskId "$_shiplog_task" \
      host "$_shiplog_host" step "$_shiplog_step" '#attempt' "$_shiplog_attempt")" \
      ",\"stream\":\"$1\"" "$_shiplog_segments" "$_shiplog_output_bytes" "${2:-}"
  )
}

# What JSON takes between quotes: UTF-8, cut to what the server takes.
# shellcheck disable=SC2016
_shiplog_awk_text='
  function utf8(s,   out) {
    if (s !~ /[\200-\377]/) return s
    out = ""
    while (s != "") {
      if (match(s, /^([\001-\177]|[\302-\337][\200-\277]|\340[\240-\277][\200-\277]|[\341-\354\356\357][\200-\277][\200-\277]|\355[\200-\237][\200-\277]|\360[\220-\277][\200-\277][\200-\277]|[\361-\363][\200-\277][\200-\277][\200-\277]|\364[\200-\217][\200-\277][\200-\277])+/)) {
        out = out substr(s, 1, RLENGTH)
        s = substr(s, RLENGTH + 1)
      } else {
        out = out "\357\277\275"
        s = substr(s, 2)
      }
    }
    return out
  }
  function replaced(s, c, by,   parts, n, i, out) {
    n = split(s, parts, c)
    out = parts[1]
    for (i = 2; i <= n; i++) out = out by parts[i]
    return out
  }
  function quote(s,   i, c) {
    if (length(s) > 16384) s = substr(s, 1, 16000) "... [shiplog: " (length(s) - 16000) " bytes were cut]"
    if ("a" !~ /\000/) gsub(/\000/, "\357\277\275", s) # to some this is an expression without characters
    s = utf8(s)
    gsub(/["\\]/, "\\\\&", s) # what stands for a backslash before anything else differs
    if (s ~ /[\001-\037]/)
      for (i = 1; i < 32; i++) {
        c = sprintf("%c", i)
        if (index(s, c)) s = replaced(s, c, sprintf("\\u%04x", i))
      }
    return "\"" s "\""
  }
'

# As awk cuts, for what no program takes as an argument: TEXT.
_shiplog_cut() {
  printf '%s' "$1" 2>/dev/null | head -c 16000 || :
  printf '... [shiplog: %s bytes were cut]' "$(($(printf '%s' "$1" | wc -c) - 16000))"
}

# Members of an object, from names and values by turns. #name: the value is JSON already. ?name: left out without one.
# In a subshell.
_shiplog_json() {
  _shiplog_label=
  for _shiplog_text in "$@"; do
    case $_shiplog_label in
      '') _shiplog_label=$_shiplog_text ;;
      *'#'*) _shiplog_label= ;;
      *)
        _shiplog_label=
        [ "${#_shiplog_text}" -le 16384 ] || _shiplog_text=$(_shiplog_cut "$_shiplog_text")
        ;;
    esac
    set -- "$@" "$_shiplog_text"
    shift
  done
  LC_ALL=C awk "$_shiplog_awk_text"'
    BEGIN {
      for (i = 1; i < ARGC; i += 2) {
        name = ARGV[i]
        value = ARGV[i + 1]
        if (sub(/^[?]/, "", name) && value == "") continue
        if (!sub(/^#/, "", name)) value = quote(value)
        printf "%s\"%s\":%s", comma, name, value
        comma = ","
      }
    }' "$@" </dev/null
}

# The oldest segment of output gives way, and a line says so.
_shiplog_drop() {
  [ -e "$1" ] || return 0
  _shiplog_lost=$({ wc -l <"$1"; } 2>/dev/null) || return 0
  _shiplog_sent_of "$1"
  _shiplog_lost=$((_shiplog_lost - _shiplog_sent))
  rm -f "$1" "$1.sent" "$1.end"
  _shiplog_count=$((_shiplog_count + 1))
  _shiplog_event "$_shiplog_base.s.ndjson" s "$_shiplog_count" level WARN message \
    "[shiplog] $_shiplog_lost lines of output were dropped here: they could not be delivered in time"
}

# That nobody reads it any more is no fault of the script.
_shiplog_say() { (trap '' PIPE && echo "shiplog: $1") >&"$_shiplog_stderr" 2>/dev/null || :; }

_shiplog_nap() { sleep 0.1 2>/dev/null || sleep 1; }

# Files of the spool. FILE has so many lines that were delivered in FILE.sent; FILE.end: no more
# come. Only whole lines count: a torn last one is never sent.

# Sets _shiplog_sent. A file that is damaged says nothing: what is sent twice counts once.
_shiplog_sent_of() {
  _shiplog_sent=$(cat "$1.sent" 2>/dev/null) || :
  case $_shiplog_sent in '' | *[!0-9]*) _shiplog_sent=0 ;; esac
}

# FILE COUNT. By another name first, so that nobody reads half of it.
_shiplog_record() {
  { echo "$2" >"$1.sent.new" && mv "$1.sent.new" "$1.sent"; } 2>/dev/null && return
  rm -f "$1.sent.new"
  return 1
}

# Takes over the directories of scripts that are gone, with what they had taken over.
_shiplog_adopt() (
  _shiplog_settings
  _shiplog_adopted=0
  for _shiplog_other in "$_shiplog_root"/sh-*; do
    [ "$_shiplog_other" != "$_shiplog_dir" ] && [ -e "$_shiplog_other/pid" ] || continue
    _shiplog_lives "$(cat "$_shiplog_other/pid" 2>/dev/null)" && continue
    _shiplog_lives "$(cat "$_shiplog_other/sender" 2>/dev/null)" && continue
    _shiplog_take "$_shiplog_other"
  done
)

# Each under a name that is new here: mv would put it inside of one that exists.
_shiplog_take() {
  _shiplog_adopted=$((_shiplog_adopted + 1))
  while [ -e "$_shiplog_dir/adopted-$_shiplog_adopted" ]; do
    _shiplog_adopted=$((_shiplog_adopted + 1))
  done
  set -- "$1" "$_shiplog_dir/adopted-$_shiplog_adopted"
  mv "$1" "$2" 2>/dev/null || return 0 # another script was faster
  rm -f "$2"/*.alive "$2/reserve"
  for _shiplog_nested in "$2"/adopted-*; do
    [ ! -d "$_shiplog_nested" ] || _shiplog_take "$_shiplog_nested"
  done
}

# PID, and what tells it from another process that has its number later: in a container a script may
# have the same one each time.
_shiplog_identity() {
  echo "$1 $(sed -n '$s/.*) //p' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20)" \
    "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)"
}

# Whether the process with this IDENTITY lives.
_shiplog_lives() {
  _shiplog_runs "${1%% *}" || return 1
  case $1 in
    *' '[0-9]*) [ "$1" = "$(_shiplog_identity "${1%% *}")" ] ;;
  esac
}

# One that has ended and that its parent has not asked about is still listed: it is gone.
_shiplog_runs() {
  kill -0 "$1" 2>/dev/null && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

# How many events are not delivered.
_shiplog_left() (
  _shiplog_settings
  _shiplog_total=0
  for _shiplog_one in "$_shiplog_dir"/*.ndjson "$_shiplog_dir"/adopted-*/*.ndjson; do
    [ -e "$_shiplog_one" ] || continue
    # In this order: what is written and sent meanwhile must not count as less than nothing.
    _shiplog_sent_of "$_shiplog_one"
    _shiplog_all=$({ wc -l <"$_shiplog_one"; } 2>/dev/null) || continue
    _shiplog_total=$((_shiplog_total + _shiplog_all - _shiplog_sent))
  done
  echo "$_shiplog_total"
)

# The sender.

_shiplog_send_all() {
  _shiplog_failures=0
  _shiplog_stale=300
  _shiplog_signs=0
  _shiplog_troubled=
  _shiplog_most_bytes=$_shiplog_batch_bytes
  _shiplog_refusals=0
  _shiplog_patience=5 # in a row, before what a proxy refuses is tried without its texts
  _shiplog_most_lines=$_shiplog_batch
  _shiplog_instead=
  _shiplog_next_sign=$(($(date +%s) + _shiplog_stale / 4))
  _shiplog_gone=
  while [ -d "$_shiplog_dir" ]; do
    for _shiplog_next in "$_shiplog_dir"/adopted-*/*.ndjson "$_shiplog_dir"/*.ndjson; do
      [ -e "$_shiplog_next" ] || continue
      _shiplog_send_file "$_shiplog_next" || break
    done
    _shiplog_signs_of_life
    # The script was killed: what it left is tried for a while, then it is the next one's.
    if _shiplog_is_killed; then
      [ "$(_shiplog_left)" -gt 0 ] || [ -n "$(ls "$_shiplog_dir" | grep '\.copy$')" ] ||
        { rm -rf "$_shiplog_dir"; return; }
      _shiplog_look_at_clock
      [ "$_shiplog_clock" -lt $((_shiplog_gone + _shiplog_orphan_seconds)) ] || return
    fi
    _shiplog_nap
  done
}

# Whoever reads its stderr is not kept waiting for the end of it.
_shiplog_is_killed() {
  [ -z "$_shiplog_gone" ] || return 0
  ! _shiplog_runs $$ || return 1
  _shiplog_look_at_clock
  _shiplog_gone=$_shiplog_clock
  exec 4>/dev/null
}

# Sends all that a file holds. Fails where it has to be tried again later.
_shiplog_send_file() {
  _shiplog_most=$_shiplog_most_lines
  _shiplog_is_recorded=yes
  _shiplog_sent_of "$1"
  while :; do
    _shiplog_is_over=
    case $1 in */adopted-*) _shiplog_is_over=yes ;; esac
    [ ! -e "$1.end" ] || _shiplog_is_over=yes
    _shiplog_all=$({ wc -l <"$1"; } 2>/dev/null) || return 0 # it gave way
    if [ "$_shiplog_all" -le "$_shiplog_sent" ]; then
      if [ -n "$_shiplog_is_over" ]; then
        rm -f "$1" "$1.sent" "$1.end"
      elif [ -z "$_shiplog_is_recorded" ]; then
        sleep 1 # it is sent again until there is room to say that it was
      fi
      return 0
    fi
    # Only whole lines: the last one may be about to be written.
    _shiplog_size=$((_shiplog_all - _shiplog_sent))
    [ "$_shiplog_size" -le "$_shiplog_most" ] || _shiplog_size=$_shiplog_most
    _shiplog_size=$(_shiplog_rest_of "$1" "$_shiplog_size" | LC_ALL=C awk -v most="$_shiplog_most_bytes" '
      { bytes += length($0) + 1 }
      bytes > most && NR > 1 { bytes -= length($0) + 1; exit }
      { lines++ }
      END { print lines + 0, bytes + 0 }')
    _shiplog_size_bytes=${_shiplog_size#* }
    _shiplog_size=${_shiplog_size% *}
    [ "$_shiplog_size" -gt 0 ] || return 0 # it gave way meanwhile
    _shiplog_post "$1" "$_shiplog_size"
    case $_shiplog_answer in
      200 | 422)
        _shiplog_failures=0
        _shiplog_troubled=
        rm -f "$_shiplog_dir/away"
        _shiplog_refusals=0
        _shiplog_most_lines=$_shiplog_batch
        _shiplog_most=$_shiplog_batch
        _shiplog_most_bytes=$((_shiplog_most_bytes + 16384))
        [ "$_shiplog_most_bytes" -le "$_shiplog_batch_bytes" ] || _shiplog_most_bytes=$_shiplog_batch_bytes
        _shiplog_is_delivered "$1" "$_shiplog_size"
        case $_shiplog_reply in *'"outcome":"REJECTED"'* | *'"errors":'*)
          _shiplog_say "not taken: $(_shiplog_excerpt 500)" ;;
        esac
        ;;
      400 | 413 | 415) # too much at once, or one of them is to blame: which?
        if [ "$_shiplog_size" -gt 1 ]; then
          _shiplog_most=$((_shiplog_size / 2))
          # What takes little takes little tomorrow, too.
          if [ "$_shiplog_answer" = 413 ]; then
            _shiplog_batch_bytes=$((_shiplog_size_bytes / 2))
            [ "$_shiplog_batch_bytes" -ge "$_shiplog_least_bytes" ] || _shiplog_batch_bytes=$_shiplog_least_bytes
            _shiplog_most_bytes=$_shiplog_batch_bytes
          fi
        else
          _shiplog_say "an event was dropped: $_shiplog_answer $(_shiplog_excerpt 300)"
          _shiplog_is_delivered "$1" 1
        fi
        ;;
      *)
        _shiplog_taken=$(printf '%s' "$_shiplog_reply" | sed -n 's/.*"taken": *\([0-9]\{1,9\}\).*/\1/p' | tail -n 1)
        [ "${_shiplog_taken:-0}" -le "$_shiplog_size" ] || _shiplog_taken=0
        _shiplog_is_delivered "$1" "${_shiplog_taken:-0}"
        # A slow link: what does not get through in time does in smaller pieces.
        [ "$_shiplog_curl" != 28 ] || _shiplog_most_bytes=$((_shiplog_size_bytes / 2))
        ! _shiplog_is_past_refusal "$1" || continue
        _shiplog_pause
        return 1
        ;;
    esac
  done
}

# FILE: whether what a proxy before the server refuses in it is set aside. First it is found out what that is.
_shiplog_is_past_refusal() {
  if ! _shiplog_is_page; then
    _shiplog_refusals=0
    return 1
  fi
  _shiplog_refusals=$((_shiplog_refusals + 1))
  if [ "$_shiplog_size" -gt 1 ]; then
    _shiplog_most_lines=$((_shiplog_size / 2))
    return 1
  fi
  [ "$_shiplog_refusals" -ge "$_shiplog_patience" ] && _shiplog_is_only_here "$1" || return 1
  _shiplog_refusals=0
  _shiplog_failures=0
}

# Of something before the server, which may be about the content. The others are about the moment, the token or the
# size, whoever says them.
_shiplog_is_page() {
  case $_shiplog_answer in 000 | 401 | 403 | 407 | 408 | 413 | 429 | 5*) return 1 ;; esac
}

# FILE: where others get through, and its next event does not.
_shiplog_is_only_here() {
  case $1 in *.task.ndjson) return 1 ;; esac
  _shiplog_instead=' ' # nothing
  _shiplog_post "$1" 1
  _shiplog_instead=
  case $_shiplog_answer in 200 | 422) ;; *) return 1 ;; esac
  _shiplog_post "$1" 1
  case $_shiplog_answer in
    200 | 422) _shiplog_is_delivered "$1" 1 ;; # it was about the moment
    *) _shiplog_is_page && _shiplog_set_aside "$1" ;;
  esac
}

# FILE: where its next event gets through without its texts, these are what is refused.
_shiplog_set_aside() {
  _shiplog_refusal=$_shiplog_answer
  _shiplog_instead=$(_shiplog_rest_of "$1" 1 | _shiplog_without_texts)
  _shiplog_post "$1" 1
  _shiplog_instead=
  case $_shiplog_answer in 200 | 422) ;; *) return 1 ;; esac
  _shiplog_kept='it is lost'
  if [ -z "$_shiplog_is_temporary" ]; then
    _shiplog_refused=$_shiplog_root/refused.ndjson
    _shiplog_kept_bytes=$({ wc -c <"$_shiplog_refused"; } 2>/dev/null) || _shiplog_kept_bytes=0
    [ "$_shiplog_kept_bytes" -gt 8388608 ] ||
      ! (umask 077 && _shiplog_rest_of "$1" 1 >>"$_shiplog_refused") 2>/dev/null ||
      _shiplog_kept="it is kept in $_shiplog_refused"
  fi
  _shiplog_say "an event was set aside, which a proxy before the server refuses ($_shiplog_refusal): $_shiplog_kept"
  _shiplog_is_delivered "$1" 1
  _shiplog_patience=1 # it is known now
}

# A line as far as it is numbers, and the names that all of its step have.
# shellcheck disable=SC2016
_shiplog_without_texts() {
  LC_ALL=C awk '
    function member(name) {
      if (!match($0, "\"" name "\":(\"([^\"\\\\]|\\\\.)*\"|-?[0-9][0-9.]*)")) return ""
      return "," substr($0, RSTART, RLENGTH)
    }
    {
      n = split("taskId host step attempt writer sequence at stream exitCode durationMs", names, " ")
      out = member("eventId")
      sub(/"$/, "-refused\"", out)
      for (i = 1; i <= n; i++) out = out member(names[i])
      status = member("status")
      out = out status (status == "" ? ",\"level\":\"WARN\"" : member("level"))
      text = "\"message\":\"[shiplog] an event was set aside here: a proxy before the server refuses its text\""
      out = out (index($0, "\"error\":{") ? ",\"error\":{" text "}" : "," text)
      print "{" substr(out, 2) "}"
    }'
}

# FILE COUNT: so many more.
_shiplog_is_delivered() {
  [ "$2" -gt 0 ] || return 0
  _shiplog_sent=$((_shiplog_sent + $2))
  _shiplog_is_recorded=
  ! _shiplog_record "$1" "$_shiplog_sent" || _shiplog_is_recorded=yes
}

# FILE LINES: the first of what is not sent.
_shiplog_rest_of() { { tail -n "+$((_shiplog_sent + 1))" "$1" | head -n "$2"; } 2>/dev/null; }

# FILE LINES, or what is sent instead of them.
_shiplog_lines() {
  if [ -n "$_shiplog_instead" ]; then printf '%s\n' "$_shiplog_instead"; else _shiplog_rest_of "$1" "$2"; fi
}

# FILE LINES. The token is given by stdin, where other users cannot read it. Nothing is written to the
# disk: it may be full, and is emptied by sending.
_shiplog_post() {
  _shiplog_path=/v1/events
  _shiplog_content=application/x-ndjson
  _shiplog_proof='"stored":'
  case $1 in *.task.ndjson)
    _shiplog_path=/graphql
    _shiplog_content=application/json
    _shiplog_proof='"data":'
    ;;
  esac
  _shiplog_token=${SHIPLOG_TOKEN:-}
  [ -z "${SHIPLOG_TOKEN_FILE:-}" ] || _shiplog_token=$(cat "$SHIPLOG_TOKEN_FILE")
  _shiplog_token=$(printf '%s' "$_shiplog_token" | tr -d '[:space:]')
  _shiplog_reply=$(
    _shiplog_lines "$1" "$2" | {
      {
        [ -z "$_shiplog_token" ] || printf 'header = "authorization: Bearer %s"\n' "$_shiplog_token"
      } | curl -sS -i -K - --max-time "$_shiplog_call_seconds" --max-filesize 4000000 \
        -w '\n%{http_code}' -H "content-type: $_shiplog_content" \
        -H 'accept: application/graphql-response+json, application/json' -H 'expect:' \
        --data-binary @/dev/fd/3 "${SHIPLOG_URL:-http://localhost:4000}$_shiplog_path" 2>&1
      echo " $?"
    } 3<&0 | tr -d '\000\r' 2>/dev/null
  )
  _shiplog_curl=${_shiplog_reply##* }
  _shiplog_answer=$(printf '%s\n' "$_shiplog_reply" | sed -n '$s/ .*//p')
  # Success and refusal are what the server itself says: a portal or a page for maintenance answers 200, too, and a
  # proxy that wants a certificate 400.
  case $_shiplog_answer in
    200 | 422) _shiplog_is_ours "$_shiplog_proof *[0-9{]" ;;
    400 | 403 | 415) _shiplog_is_ours '"(error|extensions)": *[{][^{}]*"code": *"[A-Z_]*"' ;;
  esac
  _shiplog_said=$(_shiplog_header shiplog-stale-after-ms)
  [ -z "$_shiplog_said" ] || _shiplog_stale=$((_shiplog_said / 1000))
}

_shiplog_is_ours() {
  printf '%s\n' "$_shiplog_reply" | grep -Eq "$1" || _shiplog_answer="$_shiplog_answer, but not from Shiplog"
}

_shiplog_header() {
  printf '%s\n' "$_shiplog_reply" | tr 'A-Z' 'a-z' |
    sed -n "s/^$1: *\([0-9]\{1,9\}\)\$/\1/p" | head -n 1
}

# The beginning of what was answered: BYTES.
_shiplog_excerpt() { printf '%s\n' "$_shiplog_reply" | sed -e '1,/^$/d' -e '$d' | head -c "$1"; }

# Between two tries: longer each time, as long as the server asks for, and not all scripts at once.
_shiplog_pause() {
  if [ -z "$_shiplog_troubled" ]; then
    _shiplog_trouble="no good answer from ${SHIPLOG_URL:-http://localhost:4000} ($_shiplog_answer)"
    [ "$_shiplog_answer" != 000 ] || _shiplog_trouble="no answer from ${SHIPLOG_URL:-http://localhost:4000}: $(
      printf '%s\n' "$_shiplog_reply" | sed -n 's/^curl: ([0-9]*) //p' | head -n 1)"
    _shiplog_say "$_shiplog_trouble; reporting goes on when it is over"
  fi
  _shiplog_troubled=yes
  [ "$_shiplog_answer" != 000 ] || _shiplog_mark "$_shiplog_dir/away"
  _shiplog_failures=$((_shiplog_failures + 1))
  _shiplog_naps=$((1 << (_shiplog_failures < 7 ? _shiplog_failures : 7)))
  _shiplog_asked=$(_shiplog_header retry-after)
  [ "${_shiplog_asked:-0}" -le 60 ] || _shiplog_asked=60
  _shiplog_naps=$((_shiplog_naps / 2 + _shiplog_naps * $(_shiplog_chance) / 512 + ${_shiplog_asked:-0} * 10))
  while [ "$_shiplog_naps" -gt 0 ]; do
    _shiplog_naps=$((_shiplog_naps - 1))
    [ ! -e "$_shiplog_dir/hurry" ] || [ "$_shiplog_naps" -le 5 ] || _shiplog_naps=5
    _shiplog_is_killed || :
    _shiplog_nap
  done
}

# 0 to 255.
_shiplog_chance() { od -An -N1 -tu1 /dev/urandom | tr -d ' '; }

# A silent step is shown as stale after a while: RUNNING is repeated some times before.
_shiplog_signs_of_life() {
  _shiplog_second=$(date +%s)
  _shiplog_every=$((_shiplog_stale / 3 - _shiplog_stale * $(_shiplog_chance) / 3072))
  # The server may have said that it wants to hear more often.
  [ $((_shiplog_second + _shiplog_every)) -ge "$_shiplog_next_sign" ] ||
    _shiplog_next_sign=$((_shiplog_second + _shiplog_every))
  [ "$_shiplog_second" -ge "$_shiplog_next_sign" ] || return 0
  _shiplog_next_sign=$((_shiplog_second + (_shiplog_every > 1 ? _shiplog_every : 1)))
  for _shiplog_one in "$_shiplog_dir"/*.alive; do
    _shiplog_whose=$(cat "$_shiplog_one" 2>/dev/null) || continue # it ended
    _shiplog_signs=$((_shiplog_signs + 1))
    # It has no number: it is no part of what must be complete.
    _shiplog_sign=$_shiplog_id.alive.$_shiplog_signs
    _shiplog_append "$_shiplog_dir/alive.ndjson" "{$_shiplog_whose,$(_shiplog_json \
      eventId "$_shiplog_sign" status RUNNING level TRACE '#at' "${_shiplog_second}000")}"
  done
}

_shiplog_main() {
  if [ "${1:-}" != run ] || [ $# -lt 5 ]; then
    echo 'usage: sh shiplog.sh run TASK HOST STEP COMMAND ARGUMENTS…' >&2
    exit 2
  fi
  shift
  trap : INT HUP TERM
  shiplog_open
  _shiplog_exit=0
  shiplog_run "$@" || _shiplog_exit=$?
  shiplog_close
  exit "$_shiplog_exit"
}

case ${ZSH_VERSION:+$ZSH_EVAL_CONTEXT} in
  *:file*)
    if eval '[[ ! -o shwordsplit ]]'; then
      echo "shiplog: nothing is reported: in zsh write  emulate sh -c '. .../shiplog.sh'" >&2
      shiplog_open() { _shiplog_is_off=yes; }
    fi
    ;;
  *)
    [ -z "${ZSH_VERSION:-}" ] || emulate sh
    [ "${0##*/}" != shiplog.sh ] || _shiplog_main "$@"
    ;;
esac
