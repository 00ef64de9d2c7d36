// swift-tools-version: 6.2
import PackageDescription

// rocket settings: the same in every manifest (`make check` compares).
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]
// For targets that hold unsafe code: every unsafe line is marked `unsafe`.
let strictSettings: [SwiftSetting] = settings + [.strictMemorySafety()]
// end of rocket settings

/// A program that calls etcd.
func program(_ name: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: [
            "EtcdProtos",
            .product(name: "RocketBase", package: "RocketBase"),
            .product(name: "RocketSystem", package: "RocketBase"),
            .product(name: "RocketCodec", package: "RocketCodec"),
            .product(name: "RocketTCP", package: "RocketTCP"),
            .product(name: "RocketRPC", package: "RocketRPC"),
            .product(name: "RocketGRPC", package: "RocketGRPC"),
            .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        ],
        swiftSettings: settings)
}

let package = Package(
    name: "GRPCEtcd",
    dependencies: [
        .package(path: "../../../Packages/RocketBase"),
        .package(path: "../../../Packages/RocketCodec"),
        .package(path: "../../../Packages/RocketTCP"),
        .package(path: "../../../Packages/RocketRPC"),
        .package(path: "../../../Packages/RocketGRPC"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        // run.sh generates it from the .proto files of Debian's golang-etcd-server-dev.
        .target(
            name: "EtcdProtos",
            dependencies: [
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]),
        program("grpc_etcd_client"),
    ]
)
