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

let layers: [Target.Dependency] = [
    .product(name: "RocketSystem", package: "RocketBase"),
    .product(name: "RocketBase", package: "RocketBase"),
    .product(name: "RocketReactor", package: "RocketReactor"),
    .product(name: "RocketTCP", package: "RocketTCP"),
    .product(name: "RocketCodec", package: "RocketCodec"),
    .product(name: "RocketRPC", package: "RocketRPC"),
    .product(name: "SwiftProtobuf", package: "swift-protobuf"),
]

let package = Package(
    name: "RocketSimulation",
    products: [
        .library(name: "RocketSimulation", targets: ["RocketSimulation"]),
        .library(name: "RocketSimulationScenarios", targets: ["RocketSimulationScenarios"]),
    ],
    dependencies: [
        .package(path: "../RocketBalancing"),
        .package(path: "../RocketBase"),
        .package(path: "../RocketReactor"),
        .package(path: "../RocketTCP"),
        .package(path: "../RocketCodec"),
        .package(path: "../RocketRPC"),
        .package(path: "../RocketTLS"),
        .package(path: "../RocketGRPC"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        .target(
            name: "RocketSimulation", dependencies: layers, swiftSettings: strictSettings),
        // Rocket's own worlds, for `make simulate` and for tests.
        .target(
            name: "RocketSimulationScenarios",
            dependencies: layers + [
                "RocketSimulation",
                .product(name: "RocketBalancing", package: "RocketBalancing"),
                .product(name: "RocketGRPC", package: "RocketGRPC"),
                .product(name: "RocketTLS", package: "RocketTLS"),
                .product(name: "RocketTLSTestKit", package: "RocketTLS"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "RocketSimulationTests",
            dependencies: layers + ["RocketSimulation", "RocketSimulationScenarios"],
            swiftSettings: settings),
    ]
)
