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
    .product(name: "RocketRuntime", package: "RocketBase"),
    .product(name: "RocketBase", package: "RocketBase"),
    .product(name: "RocketSystemd", package: "RocketBase"),
    .product(name: "RocketReactor", package: "RocketReactor"),
    .product(name: "RocketTCP", package: "RocketTCP"),
    .product(name: "RocketCodec", package: "RocketCodec"),
    .product(name: "RocketBalancing", package: "RocketBalancing"),
]

let package = Package(
    name: "RocketRPC",
    products: [
        .library(name: "RocketRPC", targets: ["RocketRPC"]),
        // Interceptors of their own, so that who wants none links neither library.
        .library(name: "RocketRPCMetrics", targets: ["RocketRPCMetrics"]),
        .library(name: "RocketRPCTracing", targets: ["RocketRPCTracing"]),
    ],
    dependencies: [
        .package(path: "../RocketBase"),
        .package(path: "../RocketReactor"),
        .package(path: "../RocketTCP"),
        .package(path: "../RocketCodec"),
        .package(path: "../RocketBalancing"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
    ],
    targets: [
        .target(
            name: "RocketRPC",
            dependencies: layers + [
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strictSettings),
        .target(
            name: "RocketRPCMetrics",
            dependencies: [
                "RocketRPC",
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "Metrics", package: "swift-metrics"),
            ],
            swiftSettings: settings),
        .target(
            name: "RocketRPCTracing",
            dependencies: [
                "RocketRPC",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "RocketRPCTests",
            dependencies: layers + [
                "RocketRPC",
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
                .product(name: "RocketReactorTestKit", package: "RocketReactor"),
                .product(name: "RocketTCPTestKit", package: "RocketTCP"),
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "RocketRPCObservabilityTests",
            dependencies: layers + [
                "RocketRPC", "RocketRPCMetrics", "RocketRPCTracing",
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "InMemoryTracing", package: "swift-distributed-tracing"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: settings),
    ]
)
