"""What the local stack runs: `bootstrap.sh` installs packages, `download.py` the servers, `programs.py` says where they are."""
