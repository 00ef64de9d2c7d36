#!/usr/bin/env bash
# Builds reference servers and load clients from their sources.
#
#   build.sh FOLDER NAME...   builds each program in FOLDER, unless it is newer than its sources.
#                             Exits with status 3 and the name of the Debian package if a
#                             dependency is missing.
set -euo pipefail
[ "${1-}" != --help ] || { sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
protos=$here/../../../Apps/Protos
out=$1
shift
mkdir -p "$out"

needs() { # COMMAND DEBIAN_PACKAGE
    command -v "$1" >/dev/null || { echo "reference: $1 is missing (apt-get install $2)" >&2; exit 3; }
}

for name in "$@"; do
    if [ -x "$out/$name" ] && [ -z "$(find "$here" "$protos" -newer "$out/$name" -type f -print -quit)" ]; then
        continue
    fi
    case $name in
    cpp_tinypb)
        needs g++ g++
        needs protoc protobuf-compiler
        protoc -I "$protos" --cpp_out="$out" "$protos/order.proto"
        g++ -O2 -Wall -Wextra -I"$out" -o "$out/$name" "$here/$name.cpp" "$out/order.pb.cc" -lprotobuf
        ;;
    grpc_server | grpc_load | grpc_callback_server | grpc_streams)
        needs g++ g++
        needs protoc protobuf-compiler
        needs grpc_cpp_plugin 'protobuf-compiler-grpc libgrpc++-dev'
        protoc -I "$protos" --cpp_out="$out" --grpc_out="$out" \
            --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" \
            "$protos/order.proto" "$protos/bench.proto"
        # shellcheck disable=SC2046
        g++ -O2 -Wall -std=c++17 -I"$out" -I"$here" -o "$out/$name" "$here/$name.cpp" \
            "$out"/{order,bench}.{pb,grpc.pb}.cc $(pkg-config --libs grpc++ protobuf)
        ;;
    capnp_server | capnp_load)
        needs g++ g++
        needs capnp 'capnproto libcapnp-dev'
        capnp compile -oc++:"$out" --src-prefix="$here" "$here/order.capnp"
        g++ -O2 -Wall -std=c++17 -I"$out" -I"$here" -o "$out/$name" "$here/$name.cpp" \
            "$out/order.capnp.c++" -lcapnp-rpc -lcapnp -lkj-async -lkj -pthread
        ;;
    thrift_server | thrift_load)
        needs g++ g++
        needs thrift 'thrift-compiler libthrift-dev libevent-dev libboost-dev'
        mkdir -p "$out/thrift"
        thrift --gen cpp:no_skeleton -out "$out/thrift" "$here/order.thrift"
        g++ -O2 -Wall -std=c++17 -I"$out/thrift" -I"$here" -o "$out/$name" "$here/$name.cpp" \
            "$out/thrift/Order.cpp" "$out/thrift/order_types.cpp" -lthriftnb -lthrift -levent -pthread
        ;;
    libevent_*)
        needs gcc gcc
        pkg-config --exists libevent_core ||
            { echo "reference: libevent is missing (apt-get install libevent-dev)" >&2; exit 3; }
        # shellcheck disable=SC2046
        gcc -O2 -Wall -Wextra -o "$out/$name" "$here/$name.c" \
            $(pkg-config --cflags --libs libevent_core)
        ;;
    nats_*)
        needs gcc gcc
        [ -f /usr/include/nats/nats.h ] ||
            { echo "reference: libnats is missing (apt-get install libnats-dev)" >&2; exit 3; }
        gcc -O2 -Wall -Wextra -o "$out/$name" "$here/$name.c" -lnats
        ;;
    heap_in_use | copied_bytes)
        needs gcc gcc
        gcc -O2 -Wall -Wextra -fno-builtin -shared -fPIC -o "$out/$name" "$here/$name.c" -ldl
        ;;
    tinypb_load | tinypb_connects | tls_*)
        needs gcc gcc
        pkg-config --exists openssl ||
            { echo "reference: OpenSSL is missing (apt-get install libssl-dev)" >&2; exit 3; }
        # shellcheck disable=SC2046
        gcc -O2 -Wall -Wextra -o "$out/$name" "$here/$name.c" $(pkg-config --cflags --libs openssl)
        ;;
    *)
        needs gcc gcc
        gcc -O2 -Wall -Wextra -o "$out/$name" "$here/$name.c"
        ;;
    esac
done
