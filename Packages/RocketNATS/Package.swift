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
    name: "RocketNATS",
    products: [
        .library(name: "RocketNATS", targets: ["RocketNATS"])
    ],
    dependencies: [
        .package(path: "../RocketBase"),
        .package(path: "../RocketReactor"),
        .package(path: "../RocketTCP"),
        .package(path: "../RocketCodec"),
        .package(path: "../RocketTLS"),
    ],
    targets: [
        .target(
            name: "RocketNATS",
            dependencies: [
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketTLS", package: "RocketTLS"),
            ],
            swiftSettings: strictSettings),
        // Of the tests only.
        .target(name: "CNATSAllocationCounter"),
        .testTarget(
            name: "RocketNATSTests",
            dependencies: [
                "RocketNATS", "CNATSAllocationCounter",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketReactorTestKit", package: "RocketReactor"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "RocketTCPTestKit", package: "RocketTCP"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketTLS", package: "RocketTLS"),
                .product(name: "RocketTLSTestKit", package: "RocketTLS"),
            ],
            swiftSettings: settings),
    ]
)
