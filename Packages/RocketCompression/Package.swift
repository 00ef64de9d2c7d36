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
    name: "RocketCompression",
    products: [
        .library(name: "RocketCompression", targets: ["RocketCompression"]),
        // Checks that the fuzzers (Fuzz/) and the corpus test run.
        .library(name: "RocketCompressionFuzzing", targets: ["RocketCompressionFuzzing"]),
    ],
    dependencies: [.package(path: "../RocketBase")],
    targets: [
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .target(name: "CRocketCompression", dependencies: ["CZlib", "CZstd"]),
        .target(
            name: "RocketCompression",
            dependencies: [
                "CRocketCompression", .product(name: "RocketBase", package: "RocketBase"),
            ],
            swiftSettings: strictSettings),
        .target(
            name: "RocketCompressionFuzzing",
            dependencies: [
                "RocketCompression", .product(name: "RocketBase", package: "RocketBase"),
            ],
            swiftSettings: strictSettings),
        .target(name: "CAllocationCounter"),
        .testTarget(
            name: "RocketCompressionTests",
            dependencies: [
                "RocketCompression", "RocketCompressionFuzzing", "CAllocationCounter",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: settings),
    ]
)
