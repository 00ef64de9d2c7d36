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
    .product(name: "RocketRPC", package: "RocketRPC"),
    .product(name: "SwiftProtobuf", package: "swift-protobuf"),
]

let package = Package(
    name: "RocketNames",
    products: [
        .library(name: "RocketNames", targets: ["RocketNames"]),
        // With HTTP/2, which a program without etcd need not link.
        .library(name: "RocketEtcd", targets: ["RocketEtcd"]),
    ],
    dependencies: [
        .package(path: "../RocketBase"),
        .package(path: "../RocketReactor"),
        .package(path: "../RocketTCP"),
        .package(path: "../RocketDNS"),
        .package(path: "../RocketCodec"),
        .package(path: "../RocketRPC"),
        .package(path: "../RocketGRPC"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        // Of the tests only.
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(
            name: "RocketNames",
            dependencies: layers + [
                .product(name: "RocketDNS", package: "RocketDNS"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .target(
            name: "RocketEtcd",
            dependencies: layers + [
                "RocketNames",
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketGRPC", package: "RocketGRPC"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "RocketNamesTests",
            dependencies: layers + [
                "RocketNames", "RocketEtcd",
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
                .product(name: "RocketDNS", package: "RocketDNS"),
                .product(name: "RocketDNSTestKit", package: "RocketDNS"),
                .product(name: "RocketReactorTestKit", package: "RocketReactor"),
                .product(name: "RocketTCPTestKit", package: "RocketTCP"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketGRPC", package: "RocketGRPC"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
    ]
)
