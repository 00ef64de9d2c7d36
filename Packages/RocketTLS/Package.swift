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
    name: "RocketTLS",
    products: [
        .library(name: "RocketTLS", targets: ["RocketTLS"]),
        .library(name: "RocketTLSTestKit", targets: ["RocketTLSTestKit"]),
    ],
    dependencies: [
        .package(path: "../RocketBase"),
        // Of the tests only.
        .package(path: "../RocketReactor"),
        .package(path: "../RocketTCP"),
    ],
    targets: [
        .systemLibrary(
            name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(name: "CRocketTLS", dependencies: ["COpenSSL"]),
        .target(
            name: "RocketTLS",
            dependencies: [
                "COpenSSL", "CRocketTLS",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: strictSettings),
        .target(name: "CRocketTLSTestKit", dependencies: ["COpenSSL"]),
        .target(
            name: "RocketTLSTestKit", dependencies: ["CRocketTLSTestKit", "RocketTLS"],
            swiftSettings: strictSettings),
        .testTarget(
            name: "RocketTLSTests",
            dependencies: [
                "RocketTLS", "RocketTLSTestKit",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketReactorTestKit", package: "RocketReactor"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "RocketTCPTestKit", package: "RocketTCP"),
            ],
            swiftSettings: settings),
    ]
)
