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
    name: "Regression",
    dependencies: [
        .package(path: "../../../Packages/RocketBase"),
        .package(path: "../../../Packages/RocketReactor"),
        .package(path: "../../../Packages/RocketTCP"),
        .package(path: "../../../Packages/RocketRPC"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        .target(name: "CAllocationCount"),
        .executableTarget(
            name: "CallCosts",
            dependencies: [
                "CAllocationCount",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: settings),
    ]
)
