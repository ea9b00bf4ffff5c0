#!/bin/sh
# Installs Debian's SLURM and munge where they are missing and this user may. Their own services are
# not started, and nothing is configured. Where it cannot be, prints the reason and leaves with 1.
export PATH="$PATH:/usr/sbin:/sbin" DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
missing=
for program in munged slurmctld slurmd sbatch srun; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
test -z "$missing" && exit 0

give_up() {
    echo "SLURM is not installed (missing:$missing), and $1"
    exit 1
}

command -v apt-get >/dev/null || give_up "there is no apt-get to install it with"
if [ "$(id -u)" = 0 ]; then
    root=
elif sudo -n true 2>/dev/null; then
    root="sudo -n"
else
    give_up "only root or a user with sudo without a password may install slurm-wlm and munge"
fi

# Packages start their services unless this file says 101.
if [ -e "$policy" ]; then
    "$policy" slurmd start >/dev/null 2>&1
    [ $? = 101 ] || give_up "$policy would let its packages start services"
else
    trap '$root rm -f "$policy"' EXIT
    trap 'exit 1' INT TERM
    printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
    $root chmod 755 "$policy"
fi

install() { $root apt-get -qq install -y --no-install-recommends slurm-wlm munge 2>&1; }
echo "installing slurm-wlm and munge" >&2
$root apt-get -qq update >/dev/null 2>&1
said=$(install) || give_up "apt-get could not install it: $(echo "$said" | grep '^E:' | head -n 1)"
