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
    name: "Simulation",
    dependencies: [
        .package(path: "../../Packages/RocketBalancing"),
        .package(path: "../../Packages/RocketBase"),
        .package(path: "../../Packages/RocketSimulation"),
        .package(path: "../../Apps"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
    ],
    targets: [
        // Runs the scenarios of RocketSimulation and of Apps: `make simulate`.
        .executableTarget(
            name: "rocket_simulate",
            dependencies: [
                .product(name: "AppScenarios", package: "Apps"),
                .product(name: "RocketBalancing", package: "RocketBalancing"),
                .product(name: "RocketSimulation", package: "RocketSimulation"),
                .product(name: "RocketSimulationScenarios", package: "RocketSimulation"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings)
    ]
)
