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

// Programs to learn from: the articles show parts of them. `make test-examples` tests them.

/// What each example uses.
let rocket: [Target.Dependency] = [
    .product(name: "RocketSystem", package: "RocketBase"),
    .product(name: "RocketBase", package: "RocketBase"),
    .product(name: "RocketCodec", package: "RocketCodec"),
    .product(name: "RocketTCP", package: "RocketTCP"),
    .product(name: "RocketRPC", package: "RocketRPC"),
    .product(name: "SwiftProtobuf", package: "swift-protobuf"),
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
    .product(name: "UnixSignals", package: "swift-service-lifecycle"),
    .product(name: "Logging", package: "swift-log"),
]

let package = Package(
    name: "Examples",
    dependencies: [
        .package(path: "../Packages/RocketBase"),
        .package(path: "../Packages/RocketCodec"),
        .package(path: "../Packages/RocketTCP"),
        .package(path: "../Packages/RocketRPC"),
        .package(path: "../Packages/RocketGRPC"),
        .package(path: "../Packages/RocketTLS"),
        .package(path: "../Packages/RocketSimulation"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // One method, as an asynchronous and as a synchronous handler, and a client.
        .executableTarget(
            name: "greeter",
            dependencies: rocket + [.product(name: "RocketGRPC", package: "RocketGRPC")],
            swiftSettings: settings),
        // Streams in both directions, typed errors, keys of callers, TLS, gRPC.
        .executableTarget(
            name: "keyvalue",
            dependencies: rocket + [
                .product(name: "RocketGRPC", package: "RocketGRPC"),
                .product(name: "RocketTLS", package: "RocketTLS"),
            ],
            swiftSettings: settings),
        // Three services that call one another: deadlines, metadata, cancellation.
        .executableTarget(name: "chain", dependencies: rocket, swiftSettings: settings),
        .testTarget(
            name: "GreeterTests", dependencies: rocket + ["greeter"], swiftSettings: settings),
        .testTarget(
            name: "KeyValueTests",
            dependencies: rocket + [
                "keyvalue",
                .product(name: "RocketGRPC", package: "RocketGRPC"),
                .product(name: "RocketTLS", package: "RocketTLS"),
                .product(name: "RocketTLSTestKit", package: "RocketTLS"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ChainTests",
            dependencies: rocket + [
                "chain", .product(name: "RocketSimulation", package: "RocketSimulation"),
            ],
            swiftSettings: settings),
    ]
)
