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
    name: "RocketDNS",
    products: [
        .library(name: "RocketDNS", targets: ["RocketDNS"]),
        .library(name: "RocketDNSTestKit", targets: ["RocketDNSTestKit"]),
    ],
    dependencies: [
        .package(path: "../RocketBase"),
        .package(path: "../RocketReactor"),
    ],
    targets: [
        .systemLibrary(
            name: "CCares", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .target(name: "CRocketDNS", dependencies: ["CCares"]),
        .target(
            name: "RocketDNS",
            dependencies: [
                "CRocketDNS",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketReactor", package: "RocketReactor"),
            ],
            swiftSettings: strictSettings),
        .target(name: "CRocketDNSTestKit"),
        .target(
            name: "RocketDNSTestKit",
            dependencies: [
                "CRocketDNSTestKit", "RocketDNS",
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketReactor", package: "RocketReactor"),
            ],
            swiftSettings: strictSettings),
        .testTarget(
            name: "RocketDNSTests",
            dependencies: [
                "RocketDNS", "RocketDNSTestKit",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketReactorTestKit", package: "RocketReactor"),
            ],
            swiftSettings: settings),
    ]
)
