# Sourced by run.sh: builds the client of etcd. The .proto files are etcd's own (Apache-2.0), from Debian's
# golang-etcd-server-dev, of the same version as etcd-server; they are only unpacked, not installed.
etcd_sources=$work/etcd/usr/share/gocode/src/go.etcd.io/etcd
if [ ! -d "$etcd_sources" ]; then
    (
        mkdir -p "$work/etcd"
        cd "$work/etcd"
        apt-get download -qq golang-etcd-server-dev 2>/dev/null ||
            { apt-get -qq update && apt-get download -qq golang-etcd-server-dev; }
        dpkg-deb -x golang-etcd-server-dev_*.deb .
    ) >&2
fi
python3 "$here/trim_etcd.py" "$etcd_sources" "$work/etcd-protos"
generate "$here/etcd/Sources/EtcdProtos" "$work/etcd-protos" etcd/mvcc/mvccpb/kv.proto \
    etcd/auth/authpb/auth.proto etcd/etcdserver/etcdserverpb/rpc.proto
build Tests/GRPC/etcd grpc_etcd_client
