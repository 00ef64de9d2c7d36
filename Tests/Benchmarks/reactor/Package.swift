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
    name: "BenchLoop",
    dependencies: [
        .package(path: "../../../Packages/RocketBase"),
        .package(path: "../../../Packages/RocketReactor"),
        .package(path: "../../../Packages/RocketTCP"),
    ],
    targets: [
        .target(name: "CAllocationCount"),
        .executableTarget(
            name: "BenchLoop",
            dependencies: [
                "CAllocationCount",
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "BenchEcho",
            dependencies: [
                "CAllocationCount",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "RocketTCPTestKit", package: "RocketTCP"),
            ],
            swiftSettings: settings),
    ]
)
