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
    name: "RocketTCP",
    products: [
        .library(name: "RocketTCP", targets: ["RocketTCP"]),
        .library(name: "RocketTCPTestKit", targets: ["RocketTCPTestKit"]),
    ],
    dependencies: [
        .package(path: "../RocketBase"),
        .package(path: "../RocketReactor"),
    ],
    targets: [
        .target(
            name: "RocketTCP",
            dependencies: [
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketSystemd", package: "RocketBase"),
                .product(name: "RocketReactor", package: "RocketReactor"),
            ],
            swiftSettings: strictSettings),
        .target(
            name: "RocketTCPTestKit",
            dependencies: [
                "RocketTCP",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketReactor", package: "RocketReactor"),
            ],
            swiftSettings: strictSettings),
        .testTarget(
            name: "RocketTCPTests",
            dependencies: [
                "RocketTCP", "RocketTCPTestKit",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketSystemd", package: "RocketBase"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketReactorTestKit", package: "RocketReactor"),
            ],
            swiftSettings: settings),
    ]
)
