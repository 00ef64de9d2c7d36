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
    name: "RocketHTTP2",
    products: [
        .library(name: "RocketHTTP2", targets: ["RocketHTTP2"]),
        .library(name: "RocketHTTP2TestKit", targets: ["RocketHTTP2TestKit"]),
    ],
    dependencies: [.package(path: "../RocketBase")],
    targets: [
        .systemLibrary(
            name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .target(name: "CRocketHTTP2", dependencies: ["CNghttp2"]),
        .target(
            name: "RocketHTTP2",
            dependencies: [
                "CRocketHTTP2",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: strictSettings),
        .target(
            name: "RocketHTTP2TestKit",
            dependencies: [
                "RocketHTTP2",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: strictSettings),
        .testTarget(
            name: "RocketHTTP2Tests",
            dependencies: [
                "RocketHTTP2", "RocketHTTP2TestKit",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: settings),
    ]
)
