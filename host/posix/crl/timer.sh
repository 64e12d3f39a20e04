# shellcheck shell=sh
# The timer of the refresh: a file for cron, which finds the file by itself, or a unit of systemd, which has to be told.

timer_retiring=''

# in: nothing
# sets: nothing
has_systemd() { [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1; }

timer_unit() { printf 'clientcert-%s.timer' "$instance"; }

# Prints the files of the installed timers, of either scheduler.
# in: instance
# sets: nothing
installed_timers() {
  for timer_file in /etc/systemd/system/clientcert-"$instance".timer \
    /etc/systemd/system/clientcert-"$instance".service /etc/cron.d/clientcert-"$instance"; do
    [ ! -f "$timer_file" ] || printf '%s\n' "$timer_file"
  done
}

# Checks whether systemd starts the timer with the machine, and has started it now.
is_timer_active() {
  systemctl is-enabled --quiet "$(timer_unit)" 2>/dev/null && systemctl is-active --quiet "$(timer_unit)" 2>/dev/null
}

# Prints which of the two schedulers runs here, whether it would start our timer, and the files that change our units
# (`timer-drop-ins`). `timer-enabled no` is said only where the file of our unit is there and systemd does not start it.
# in: instance, process_cron_pids
# sets: nothing
observe_timer() {
  if has_systemd; then
    echo 'scheduler systemd'
  elif [ -n "$(in_own_namespace "$process_cron_pids")" ]; then
    echo 'scheduler cron'
  else
    echo 'scheduler none'
  fi
  if [ -f "/etc/systemd/system/$(timer_unit)" ] && has_systemd && ! is_timer_active; then
    echo 'timer-enabled no'
  else
    echo 'timer-enabled yes'
  fi
  if has_systemd && [ -f "/etc/systemd/system/$(timer_unit)" ]; then
    systemctl show --property=DropInPaths -- "$(timer_unit)" "clientcert-$instance.service" 2>/dev/null |
      sed -n 's/^DropInPaths=\(.\)/timer-drop-ins \1/p'
  fi
}

# Makes systemd start its timer after its files are in place, and does nothing where the change brings none. A failure
# is a note.
# in: instance, work
# sets: nothing
# writes
start_timers() {
  grep -q "$tab/etc/systemd/" "$work/own.list" && has_systemd || return 0
  { systemctl daemon-reload && systemctl enable --quiet "$(timer_unit)" &&
    systemctl restart "$(timer_unit)"; } >/dev/null 2>&1 ||
    part "note systemd does not start $(timer_unit), so the CRLs are not refreshed; look at systemctl status $(timer_unit)"
}

# Stops the timers before their files are removed. A timer whose file somebody has deleted still waits, but cannot be
# disabled.
# in: instance, removal
# sets: nothing
# writes
retire_timers() {
  timer_retiring=''
  has_systemd && is_timer_to_go || return 0
  timer_retiring=yes
  { systemctl disable --quiet --now "$(timer_unit)" || systemctl stop --quiet "$(timer_unit)"; } >/dev/null 2>&1
  rm -f -- "$(timer_link)"
}

# Starts the timers again where a change that was about to remove them is put back.
# in: instance
# sets: nothing
# writes
resume_timers() {
  [ -n "$timer_retiring" ] || return 0
  systemctl daemon-reload && systemctl enable --quiet --now "$(timer_unit)" || :
}

# Prints the link that starts the timer with the machine.
timer_link() { printf '/etc/systemd/system/timers.target.wants/%s' "$(timer_unit)"; }

# Checks whether this change removes the timer of systemd.
is_timer_to_go() {
  dropped | grep -q '^/etc/systemd/.*[.]timer$' || { [ "$removal" = yes ] && [ -L "$(timer_link)" ]; }
}

# Removes what systemd itself remembers of the timers, after their files have gone.
# in: instance
# sets: nothing
# writes
forget_timers() {
  [ -n "$timer_retiring" ] || return 0
  { systemctl daemon-reload; systemctl reset-failed "$(timer_unit)" "clientcert-$instance.service"; } >/dev/null 2>&1
  rm -f -- "/var/lib/systemd/timers/stamp-$(timer_unit)"
}
