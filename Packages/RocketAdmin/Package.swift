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
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
    .product(name: "Metrics", package: "swift-metrics"),
    .product(name: "SwiftProtobuf", package: "swift-protobuf"),
]

let package = Package(
    name: "RocketAdmin",
    products: [
        .library(name: "RocketAdmin", targets: ["RocketAdmin"]),
        // gRPC's binary log, for programs that read recorded calls.
        .library(name: "RocketBinaryLog", targets: ["RocketBinaryLog"]),
    ],
    dependencies: [
        .package(path: "../RocketBase"),
        .package(path: "../RocketReactor"),
        .package(path: "../RocketTCP"),
        .package(path: "../RocketCodec"),
        .package(path: "../RocketRPC"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CMicrohttpd", pkgConfig: "libmicrohttpd",
            providers: [.apt(["libmicrohttpd-dev"])]),
        .target(name: "CRocketMicrohttpd", dependencies: ["CMicrohttpd"]),
        .target(
            name: "RocketBinaryLog",
            dependencies: [
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: settings),
        .target(
            name: "RocketAdmin",
            dependencies: layers + ["CRocketMicrohttpd", "RocketBinaryLog"],
            swiftSettings: strictSettings),
        .testTarget(
            name: "RocketAdminTests",
            dependencies: layers + [
                "RocketAdmin", "RocketBinaryLog",
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
            ],
            swiftSettings: settings),
    ]
)
