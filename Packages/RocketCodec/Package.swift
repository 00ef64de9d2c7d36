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
    name: "RocketCodec",
    products: [
        .library(name: "RocketCodec", targets: ["RocketCodec"]),
        .library(name: "RocketCodecTestKit", targets: ["RocketCodecTestKit"]),
        // Checks that the fuzzers (Fuzz/) and the corpus test run.
        .library(name: "RocketCodecFuzzing", targets: ["RocketCodecFuzzing"]),
    ],
    dependencies: [.package(path: "../RocketBase")],
    targets: [
        .target(
            name: "RocketCodec",
            dependencies: [
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: strictSettings),
        .target(
            name: "RocketCodecTestKit",
            dependencies: ["RocketCodec", .product(name: "RocketBase", package: "RocketBase")],
            swiftSettings: strictSettings),
        .target(
            name: "RocketCodecFuzzing",
            dependencies: ["RocketCodec", .product(name: "RocketBase", package: "RocketBase")],
            swiftSettings: strictSettings),
        .testTarget(
            name: "RocketCodecTests",
            dependencies: [
                "RocketCodec", "RocketCodecTestKit", "RocketCodecFuzzing",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: settings),
    ]
)
