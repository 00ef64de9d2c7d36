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

let layers: [Target.Dependency] = [
    .product(name: "RocketSystem", package: "RocketBase"),
    .product(name: "RocketBase", package: "RocketBase"),
    .product(name: "RocketReactor", package: "RocketReactor"),
    .product(name: "RocketTCP", package: "RocketTCP"),
    .product(name: "RocketCodec", package: "RocketCodec"),
    .product(name: "RocketRPC", package: "RocketRPC"),
    .product(name: "RocketGRPC", package: "RocketGRPC"),
    .product(name: "Tracing", package: "swift-distributed-tracing"),
    .product(name: "SwiftProtobuf", package: "swift-protobuf"),
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
]

let package = Package(
    name: "RocketOTLP",
    products: [
        .library(name: "RocketOTLP", targets: ["RocketOTLP"])
    ],
    dependencies: [
        .package(path: "../RocketBase"),
        .package(path: "../RocketReactor"),
        .package(path: "../RocketTCP"),
        .package(path: "../RocketCodec"),
        .package(path: "../RocketRPC"),
        .package(path: "../RocketGRPC"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    ],
    targets: [
        .target(name: "RocketOTLP", dependencies: layers, swiftSettings: settings),
        .testTarget(
            name: "RocketOTLPTests",
            dependencies: layers + [
                "RocketOTLP",
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
                .product(name: "RocketRPCTracing", package: "RocketRPC"),
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
    ]
)
