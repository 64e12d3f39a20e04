# shellcheck shell=sh
# Puts a change back, and makes the live server run on the bytes of before.

# Puts everything back, and makes the live server run on it. Where something could not be put back, $work/swapped stays,
# and the next run tries again.
# in: parent, swap_began, work
# sets: nothing
# writes
roll_back() {
  step 'roll back'
  [ ! -f "$work/swapped" ] || put_back "$work"
  # 0 where the bytes of before are back.
  rollback_is_back=$?
  resume_timers
  [ -z "$parent" ] || restore_live "${reload_signalled:-}"
  [ "$rollback_is_back" != 0 ] || rm -f -- "$work/swapped"
}

# Makes the live server run on the bytes of before. It is not reloaded where it cannot have read other bytes. Where it
# can, and the reload is not seen, this fails, and the next change has to reload it. Where httpd has ended after our
# signal, it is started again; this fails where it does not start. A server that ended without a signal of ours was
# ended by somebody who meant to do so, and is not started.
# in: swap_began
# sets: nothing
# writes
restore_live() { # SIGNALLED: empty where no signal of ours can have made httpd read the other bytes
  rollback_bytes_back=$(now_ticks)
  if is_parent_alive; then
    if [ -z "$1" ]; then
      # A child that is younger than the swap may come from a reload by somebody else.
      ! has_new_child "$swap_began" || owe_or_report 'a change was put back, and httpd may have read it meanwhile'
      return 0
    fi
    if reload && wait_for_reload; then return 0; fi
    if is_parent_alive; then
      owe 'a change was put back, and httpd was not seen to reload since'
      part 'reason the reload on the bytes of before could not be seen; look at the server'
      return 1
    fi
  fi
  if [ -n "${reload_signalled:-}" ]; then
    # A supervisor may have started httpd on the new bytes, before the bytes of before were back.
    start_again && { [ "$server_parent_start" -gt "$rollback_bytes_back" ] || { reload && wait_for_reload; }; }
  else
    owe_or_report 'a change was put back, and httpd may have been started on it meanwhile'
    part 'reason httpd ended meanwhile, not by us; it was not started again'
  fi
}
