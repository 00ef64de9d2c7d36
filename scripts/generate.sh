#!/bin/sh
# Updates the generated files, or checks that they are current: Swift code from .proto files, and
# the configuration's documents and doc comments from its schema, and the units of generated projects
# from those in conf/.
#
#   scripts/generate.sh           writes the files
#   scripts/generate.sh --check   writes to a temporary folder and compares; exit status 1 and
#                                 a diff if the committed files differ
#
# SCRATCH_PATH names SwiftPM's build folder (default: .build in the repository).
# PROTOC names the protobuf compiler (default: protoc, Debian's protobuf-compiler).
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
scratch=${SCRATCH_PATH:-$root/.build}
protoc=${PROTOC:-protoc}
mode=write
case "${1-}" in
'') ;;
--check) mode=check ;;
*)
    echo "usage: scripts/generate.sh [--check]" >&2
    exit 2
    ;;
esac

if ! command -v "$protoc" >/dev/null; then
    echo "generate: $protoc is not installed: apt-get install protobuf-compiler" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Without it SwiftPM compiles swift-protobuf again every other time: docs/decisions/0001.
export SWIFT_DETERMINISTIC_HASHING=1
# A cached build plan does not include files that were added to a package below.
swift_build() {
    package=$1
    shift
    swift build --disable-build-manifest-caching --package-path "$root/$package" \
        --scratch-path "$scratch" "$@"
}

# The tools are built from this repository, so that the generator and the runtime library that the
# generated code uses have the same version.
for product in RocketGenerator/protoc-gen-swift RocketGenerator/protoc-gen-rocket \
    Apps/rocket_config_docs; do
    package=${product%/*}
    [ "$package" = Apps ] || package=Packages/$package
    if ! swift_build "$package" \
        --product "${product##*/}" >"$work/build.log" 2>&1; then
        cat "$work/build.log" >&2
        exit 1
    fi
done
plugins=$(swift_build Apps --show-bin-path)

failed=0

# generate PROTO_FOLDER OUTPUT_FOLDER VISIBILITY MODULE_MAPPINGS_OR_EMPTY PROTO…
# Paths are relative to the repository.
generate() {
    protos=$1 output=$2 options=Visibility=$3 mappings=$4
    shift 4
    target=$root/$output
    if [ "$mode" = check ]; then
        target=$work/$output
    fi
    if [ -n "$mappings" ]; then
        options="$options,ProtoPathModuleMappings=$root/$mappings"
    fi
    mkdir -p "$target"
    "$protoc" --proto_path="$root/$protos" \
        --plugin="$plugins/protoc-gen-swift" --plugin="$plugins/protoc-gen-rocket" \
        --swift_out="$target" --swift_opt="$options,UseAccessLevelOnImports=true" \
        --rocket_out="$target" --rocket_opt="$options" \
        "$@"
    case $output in
    Packages/RocketRPC/Sources/*)
        find "$target" -name '*.rocket.swift' -exec sed -i '/^\(public \|internal \)\?import RocketRPC$/d' {} +
        ;;
    esac
    if [ "$mode" = check ]; then
        compare "$output"
    fi
}

# A committed file that is no longer generated counts as a difference, too.
compare() {
    (cd "$root/$1" && find . -name '*.pb.swift' -o -name '*.rocket.swift') |
        LC_ALL=C sort >"$work/committed"
    (cd "$work/$1" && find . -type f) | LC_ALL=C sort >"$work/generated"
    if ! diff -u "$work/committed" "$work/generated" >&2; then
        echo "generate: the list of files in $1 differs from the generated files" >&2
        failed=1
    fi
    while read -r file; do
        if [ -f "$root/$1/$file" ] && ! diff -u "$root/$1/$file" "$work/$1/$file" >&2; then
            echo "generate: $1/${file#./} is not current" >&2
            failed=1
        fi
    done <"$work/generated"
}

# The framework's own services; the module does not import itself.
own=Packages/RocketRPC/Sources/RocketRPC
generate Packages/RocketRPC/Protos $own/Health/Generated Public '' rocket/health.proto
generate Packages/RocketRPC/Protos $own/Reflection/Generated Internal '' rocket/reflection.proto

# The services that gRPC's clients expect.
generate Packages/RocketGRPC/Protos Packages/RocketGRPC/Sources/RocketGRPC/Services/Generated Internal \
    '' grpc/health/v1/health.proto grpc/reflection/v1/reflection.proto

# What servers announce of themselves, and the part of etcd's interface that is used.
names=Packages/RocketNames
generate $names/Protos $names/Sources/RocketNames/Generated Internal '' rocket/announcement.proto
generate $names/Protos $names/Sources/RocketEtcd/Generated Internal '' etcd/rpc.proto

# gRPC's binary log, of recorded calls.
admin=Packages/RocketAdmin
generate $admin/Protos $admin/Sources/RocketBinaryLog/Generated Public '' grpc/binlog/v1/binarylog.proto

# The part of OpenTelemetry's protocol that exports spans.
otlp=Packages/RocketOTLP
generate $otlp/Protos $otlp/Sources/RocketOTLP/Generated Internal '' otlp/trace.proto google/rpc/retry.proto

generate Packages/RocketRPC/Tests/Protos \
    Packages/RocketRPC/Tests/RocketRPCTests/Interop/Generated Internal '' interop.proto

generate Apps/Protos Apps/Sources/OrderProtos Public '' order.proto
generate Apps/Protos Apps/Sources/BenchKit/Generated Internal '' bench.proto

# The examples.
for example in greeter keyvalue chain; do
    generate Examples/Protos Examples/Sources/$example/Generated Internal '' $example.proto
done

# Code that the generator's tests compile, in two modules.
tricky=Apps/Tests/GeneratedCodeProtos
generate $tricky Apps/Tests/GeneratedCodeCommon Public $tricky/modules.textproto \
    common/money.proto
generate $tricky Apps/Tests/GeneratedCodeTests/Generated Internal $tricky/modules.textproto \
    tricky.proto shelf.proto hiding.proto streams.proto

# Messages for the tests of the protobuf codec.
generate Packages/RocketRPC/Tests/Protos Packages/RocketRPC/Tests/RocketRPCTests/Generated \
    Internal '' kinds2.proto kinds3.proto

# docs/configuration.md, conf/rocket.reference.xml and the doc comments of the sections.
"$plugins/rocket_config_docs" "--$mode" "$root" || failed=1

# The units of generated projects.
if [ "$mode" = check ]; then
    "$root/scripts/unit-templates" --check || failed=1
else
    "$root/scripts/unit-templates"
fi

if [ "$failed" = 1 ]; then
    echo "generate: run \`make generate\` and commit the changes" >&2
    exit 1
fi
