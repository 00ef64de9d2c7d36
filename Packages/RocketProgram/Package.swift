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

let package = Package(
    name: "RocketProgram",
    products: [
        .library(name: "RocketProgram", targets: ["RocketProgram"])
    ],
    dependencies: [
        .package(path: "../RocketBase"),
        .package(path: "../RocketCodec"),
        .package(path: "../RocketReactor"),
        .package(path: "../RocketTCP"),
        .package(path: "../RocketRPC"),
        .package(path: "../RocketGRPC"),
        .package(path: "../RocketNames"),
        .package(path: "../RocketAdmin"),
        .package(path: "../RocketOTLP"),
        .package(path: "../RocketCompression"),
        .package(path: "../RocketTLS"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    ],
    targets: [
        .target(
            name: "RocketProgram",
            dependencies: [
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "RocketAdmin", package: "RocketAdmin"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketCompression", package: "RocketCompression"),
                .product(name: "RocketGRPC", package: "RocketGRPC"),
                .product(name: "RocketEtcd", package: "RocketNames"),
                .product(name: "RocketJournal", package: "RocketBase"),
                .product(name: "RocketNames", package: "RocketNames"),
                .product(name: "RocketOTLP", package: "RocketOTLP"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketRPCTracing", package: "RocketRPC"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketSystemd", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "RocketTLS", package: "RocketTLS"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "RocketProgramTests",
            dependencies: [
                "RocketProgram",
                .product(name: "RocketNames", package: "RocketNames"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "RocketTCPTestKit", package: "RocketTCP"),
                .product(name: "RocketTLS", package: "RocketTLS"),
                .product(name: "RocketTLSTestKit", package: "RocketTLS"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: settings),
    ]
)
