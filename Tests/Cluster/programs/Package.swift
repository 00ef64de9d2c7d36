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
    name: "Cluster",
    dependencies: [
        .package(path: "../../../Packages/RocketBase"),
        .package(path: "../../../Packages/RocketReactor"),
        .package(path: "../../../Packages/RocketTCP"),
        .package(path: "../../../Packages/RocketCodec"),
        .package(path: "../../../Packages/RocketRPC"),
        .package(path: "../../../Packages/RocketProgram"),
        .package(path: "../../../Apps"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        .executableTarget(
            name: "cluster_client",
            dependencies: [
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "OrderProtos", package: "Apps"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "cluster_chat",
            dependencies: [
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "RocketCodec", package: "RocketCodec"),
            ],
            swiftSettings: settings),
    ]
)
