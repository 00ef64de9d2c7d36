# Sourced by run.sh, and by those of Tests/Tool and Tests/Admin: sets `python` to a virtual environment with grpcio and
# what its tests need. $work: where it is, or is made; the pinned packages are from PyPI.

# grpcio's server has modules that no Debian package has.
python=$work/python
pinned=(grpcio==1.85.3 grpcio-tools==1.85.1 grpcio-health-checking==1.85.1 grpcio-reflection==1.85.1
    h2==4.4.1 hpack==4.2.0 hyperframe==6.1.0 protobuf==7.36.2
    connectrpc==0.13.0 pyqwest==0.12.0
    opentelemetry-proto==1.45.2 prometheus-client==0.26.0)
if [ "$(cat "$python/pinned" 2>/dev/null)" != "${pinned[*]}" ]; then
    rm -rf "$python"
    python3 -m venv "$python"
    "$python/bin/pip" install -q "${pinned[@]}" >&2
    echo "${pinned[*]}" >"$python/pinned"
fi
