// SPDX-License-Identifier: LGPL-2.1-or-later
// Stand-ins for the tools of boot loaders that Debian does not package, and small ones for those it
// does (tests/boot runs the real ones): each does to the tree below $BOOT_ROOT what the real one
// documents, and fails where $BOOT_ROOT.fail is there.
#pragma once

namespace memonline::test {

/// Begins each of them. `edit LINE REMOVE ADD` takes words out and puts words behind.
inline constexpr const char* kToolHead = R"sh(#!/bin/sh
set -eu
R=$BOOT_ROOT
echo "$(basename "$0") $*" >>"$R.log"
edit() {
  new=
  for word in $1; do
    keep=yes
    for gone in $2; do [ "$word" != "$gone" ] || keep=no; done
    [ $keep = no ] || new="${new:+$new }$word"
  done
  echo "$new${3:+ $3}"
}
options() { # FILE LINE
  sed "s|^options .*|options $2|" "$1" >"$1.new"
  mv "$1.new" "$1"
}
may_fail() { [ ! -e "$R.fail" ] || { echo "no space left on the ESP" >&2; exit 1; }; }
)sh";

inline constexpr const char* kUpdateGrub = R"sh(may_fail
. "$R/etc/default/grub"
for file in "$R"/etc/default/grub.d/*.cfg; do [ ! -e "$file" ] || . "$file"; done
{
  echo "menuentry 'Debian' {"
  echo "  linux /vmlinuz root=/dev/vda1 ro ${GRUB_CMDLINE_LINUX:-} ${GRUB_CMDLINE_LINUX_DEFAULT:-}"
  echo "}"
  echo "menuentry 'Debian (recovery)' {"
  echo "  linux /vmlinuz root=/dev/vda1 ro single ${GRUB_CMDLINE_LINUX:-}"
  echo "}"
} >"$R/boot/grub/grub.cfg"
)sh";

inline constexpr const char* kGrubby = R"sh(add= remove= info=
for argument; do
  case $argument in
    --info=ALL) info=yes ;;
    --args=*) add=${argument#*=} ;;
    --remove-args=*) remove=${argument#*=} ;;
  esac
done
[ -n "$info" ] || may_fail
for entry in "$R"/boot/loader/entries/*.conf; do
  line=$(sed -n 's/^options //p' "$entry")
  if [ -n "$info" ]; then
    printf 'index=0\nkernel="/boot/vmlinuz"\nargs="%s"\nroot="/dev/vda1"\n' "$line"
    continue
  fi
  # Other values of a key that is set go, whoever set them.
  for word in $add; do
    for old in $line; do
      [ "${old%%=*}" != "${word%%=*}" ] || line=$(edit "$line" "$old" "")
    done
  done
  options "$entry" "$(edit "$line" "$remove" "$add")"
done
)sh";

inline constexpr const char* kUpdateBootloader = R"sh(may_fail
grub=$R/etc/default/grub
line=$(sed -n 's/^GRUB_CMDLINE_LINUX_DEFAULT="\(.*\)"$/\1/p' "$grub")
case $1 in
  --add-option) line=$(edit "$line" "" "$2") ;;
  --del-option) line=$(edit "$line" "$2" "") ;;
  --config)
    echo "linux /vmlinuz $line" >"$R/boot/grub2/grub.cfg"
    exit
    ;;
esac
sed "s|^GRUB_CMDLINE_LINUX_DEFAULT=.*|GRUB_CMDLINE_LINUX_DEFAULT=\"$line\"|" "$grub" >"$grub.new"
mv "$grub.new" "$grub"
)sh";

inline constexpr const char* kSdbootutil = R"sh(may_fail
[ "$1" = update-all-entries ]
line=$(cat "$R/etc/kernel/cmdline")
for file in "$R"/etc/kernel/cmdline.d/*; do [ ! -e "$file" ] || line="$line $(cat "$file")"; done
for entry in "$R"/boot/efi/loader/entries/*.conf; do options "$entry" "$line"; done
)sh";

inline constexpr const char* kKernelInstall = R"sh(may_fail
[ "$1" = add ] && [ -e "$R$3" ]
entry="$R/boot/loader/entries/$2.conf"
printf 'title Linux\nversion %s\noptions %s\n' "$2" "$(cat "$R/etc/kernel/cmdline" 2>/dev/null || \
  sed 's/BOOT_IMAGE=[^ ]* //' "$R/proc/cmdline")" >"$entry"
)sh";

inline constexpr const char* kZipl = R"sh(may_fail
grep parameters "$R/etc/zipl.conf" >"$R/boot/bootmap"
)sh";

inline constexpr const char* kRpmOstree = R"sh([ "$1" = kargs ]
if [ $# = 1 ]; then cat "$R/ostree/kargs"; exit; fi
may_fail
line=$(cat "$R/ostree/kargs")
shift
for argument; do
  word=${argument#*=}
  case $argument in
    --delete-if-present=*) line=$(edit "$line" "$word" "") ;;
    --append-if-missing=*) line=$(edit "$line" "$word" "$word") ;;
  esac
done
echo "$line" >"$R/ostree/kargs"
)sh";

inline constexpr const char* kBootc = R"sh([ "$1 $2" = "loader-entries set-options-for-source" ]
[ "$3" != --help ] || exit 0
may_fail
[ "$3 $4" = "--source memonline" ]
entry=$R/boot/loader/entries/ostree-1.conf
old=$(sed -n 's/^x-options-source-memonline //p' "$entry")
new=
[ $# -lt 6 ] || new=$6
line=$(edit "$(sed -n 's/^options //p' "$entry")" "$old" "$new")
sed "/^x-options-source-memonline/d; s|^options .*|options $line|" "$entry" >"$entry.new"
[ -z "$new" ] || echo "x-options-source-memonline $new" >>"$entry.new"
mv "$entry.new" "$entry"
)sh";

}  // namespace memonline::test
