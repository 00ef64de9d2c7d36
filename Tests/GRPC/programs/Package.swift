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

/// A program that serves or calls gRPC's interoperability service.
func program(_ name: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: [
            "GRPCTestProtos", "ObservedCompression",
            .product(name: "RocketBase", package: "RocketBase"),
            .product(name: "RocketSystem", package: "RocketBase"),
            .product(name: "RocketCodec", package: "RocketCodec"),
            .product(name: "RocketTCP", package: "RocketTCP"),
            .product(name: "RocketRPC", package: "RocketRPC"),
            .product(name: "RocketGRPC", package: "RocketGRPC"),
            .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            .product(name: "RocketCompression", package: "RocketCompression"),
        ],
        swiftSettings: settings)
}

let package = Package(
    name: "GRPCInterop",
    dependencies: [
        .package(path: "../../../Packages/RocketBase"),
        .package(path: "../../../Packages/RocketCodec"),
        .package(path: "../../../Packages/RocketTCP"),
        .package(path: "../../../Packages/RocketRPC"),
        .package(path: "../../../Packages/RocketGRPC"),
        .package(path: "../../../Packages/RocketCompression"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        // run.sh generates it from Debian's grpc-proto.
        .target(
            name: "GRPCTestProtos",
            dependencies: [
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]),
        .target(
            name: "ObservedCompression",
            dependencies: [
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketCompression", package: "RocketCompression"),
            ],
            swiftSettings: settings),
        program("grpc_interop_server"),
        program("grpc_interop_client"),
    ]
)
