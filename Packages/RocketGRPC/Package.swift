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
    name: "RocketGRPC",
    products: [.library(name: "RocketGRPC", targets: ["RocketGRPC"])],
    dependencies: [
        .package(path: "../RocketBase"),
        .package(path: "../RocketReactor"),
        .package(path: "../RocketTCP"),
        .package(path: "../RocketCodec"),
        .package(path: "../RocketRPC"),
        .package(path: "../RocketHTTP2"),
        // Of the tests only.
        .package(path: "../RocketCompression"),
        .package(path: "../RocketTLS"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        .target(
            name: "RocketGRPC",
            dependencies: [
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketHTTP2", package: "RocketHTTP2"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: strictSettings),
        .testTarget(
            name: "RocketGRPCTests",
            dependencies: [
                "RocketGRPC",
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketReactorTestKit", package: "RocketReactor"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "RocketTCPTestKit", package: "RocketTCP"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketHTTP2", package: "RocketHTTP2"),
                .product(name: "RocketHTTP2TestKit", package: "RocketHTTP2"),
                .product(name: "RocketCompression", package: "RocketCompression"),
                .product(name: "RocketTLS", package: "RocketTLS"),
                .product(name: "RocketTLSTestKit", package: "RocketTLS"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: settings),
    ]
)
