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
    name: "RocketDynamic",
    products: [
        .library(name: "RocketDynamic", targets: ["RocketDynamic"])
    ],
    dependencies: [
        .package(path: "../RocketBase"),
        // Of the tests only.
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        // The only C++ of the package: Debian's libprotobuf behind functions of C.
        .target(name: "CRocketProtobuf", linkerSettings: [.linkedLibrary("protobuf")]),
        .target(
            name: "RocketDynamic",
            dependencies: [
                "CRocketProtobuf",
                .product(name: "RocketBase", package: "RocketBase"),
            ],
            swiftSettings: strictSettings),
        .testTarget(
            name: "RocketDynamicTests",
            dependencies: [
                "RocketDynamic",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ],
            swiftSettings: settings),
    ]
)
