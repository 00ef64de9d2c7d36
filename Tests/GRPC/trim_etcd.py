"""Copies etcd's .proto files without the options of other code generators (gogoproto, grpc-gateway), whose
own .proto files are not needed then.

    trim_etcd.py SOURCES FOLDER     SOURCES: the folder go.etcd.io/etcd of Debian's golang-etcd-server-dev
"""

import pathlib
import re
import sys

FILES = {
    "etcd/mvcc/mvccpb/kv.proto": "mvcc/mvccpb/kv.proto",
    "etcd/auth/authpb/auth.proto": "auth/authpb/auth.proto",
    "etcd/etcdserver/etcdserverpb/rpc.proto": "etcdserver/etcdserverpb/rpc.proto",
}


def trimmed(text):
    text = re.sub(r'^import "(gogoproto|google/api)/[^"]*";\n', "", text, flags=re.MULTILINE)
    text = re.sub(r"^option \(gogoproto\.[^;]*;\n", "", text, flags=re.MULTILINE)
    text = re.sub(
        r"^[ \t]*option \(google\.api\.http\) = \{.*?\n[ \t]*\};\n", "", text,
        flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"\s*\[\(gogoproto\.[^\]]*\]", "", text)


def main():
    sources, folder = map(pathlib.Path, sys.argv[1:])
    for target, source in FILES.items():
        path = folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(trimmed((sources / source).read_text()))


if __name__ == "__main__":
    main()
