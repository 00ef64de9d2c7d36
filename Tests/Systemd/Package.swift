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
    name: "Systemd",
    dependencies: [
        .package(path: "../../Apps"),
        .package(path: "../../Packages/RocketBase"),
        .package(path: "../../Packages/RocketTCP"),
        .package(path: "../../Packages/RocketTLS"),
        .package(path: "../../Packages/RocketCodec"),
        .package(path: "../../Packages/RocketRPC"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
    ],
    targets: [
        .executableTarget(
            name: "order_load",
            dependencies: [
                .product(name: "OrderProtos", package: "Apps"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "RocketTLS", package: "RocketTLS"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings,
            // Like the programs in Apps: runs without an installed Swift.
            linkerSettings: [
                .unsafeFlags(
                    [
                        "-static-stdlib", "-lCoreFoundation", "-l_FoundationICU",
                        "-l_FoundationCShims", "-l_FoundationCollections", "-lBlocksRuntime",
                    ],
                    .when(configuration: .release))
            ])
    ]
)
