# Takes the host out of the upstream list.
set -eu
. "$STEPS_DIR/reload.inc"
lock_upstreams
rm "$NGINX_DIR/upstreams/$HOST.conf"
reload_nginx
echo "$(ls "$NGINX_DIR/upstreams" | wc -l) hosts are left in rotation"
