#!/usr/bin/env bash
# Builds the interoperability programs on libgrpc++ into FOLDER, unless they are newer than their sources.
#
#   Tests/GRPC/cpp/build.sh FOLDER
set -euo pipefail
[ "${1-}" != --help ] || { sed -n '2,4s/^# \{0,1\}//p' "$0"; exit 0; }
here=$(cd "$(dirname "$0")" && pwd)
folder=$1
protos=${GRPC_PROTOS:-/usr/share/grpc-proto}
mkdir -p "$folder"
# One build at a time: tests of several folders may run at once.
exec 9>"$folder/lock"
flock 9
newest=$(ls -t "$here"/*.cc "$here/build.sh" | head -1)
if [ "$folder/interop_client" -nt "$newest" ] && [ "$folder/interop_server" -nt "$newest" ]; then exit 0; fi
names=(grpc/testing/test grpc/testing/messages grpc/testing/empty)
protoc -I "$protos" --cpp_out="$folder" --grpc_out="$folder" \
    --plugin=protoc-gen-grpc="$(command -v grpc_cpp_plugin)" "${names[@]/%/.proto}"
objects=()
for name in "${names[@]/%/.pb}" grpc/testing/test.grpc.pb; do
    object=$folder/$(basename "$name").o
    g++ -std=c++17 -O1 -I"$folder" -c "$folder/$name.cc" -o "$object"
    objects+=("$object")
done
for program in interop_client interop_server; do
    g++ -std=c++17 -O1 -Wall -Wextra -I"$folder" "$here/$program.cc" "${objects[@]}" \
        $(pkg-config --cflags --libs grpc++ protobuf) -o "$folder/$program"
done
