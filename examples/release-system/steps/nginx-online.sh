# Puts the host back into the upstream list.
set -eu
. "$STEPS_DIR/reload.inc"
lock_upstreams
echo "server 127.0.0.1:$(cat port) max_fails=0;" >"$NGINX_DIR/upstreams/$HOST.conf"
reload_nginx
echo "$(ls "$NGINX_DIR/upstreams" | wc -l) hosts are in rotation"
