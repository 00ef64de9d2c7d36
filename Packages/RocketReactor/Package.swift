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
    name: "RocketReactor",
    products: [
        .library(name: "RocketReactor", targets: ["RocketReactor"]),
        .library(name: "RocketReactorTestKit", targets: ["RocketReactorTestKit"]),
    ],
    dependencies: [.package(path: "../RocketBase")],
    targets: [
        .target(
            name: "RocketReactor",
            dependencies: [
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketBase", package: "RocketBase"),
            ],
            swiftSettings: strictSettings),
        .target(
            name: "RocketReactorTestKit",
            dependencies: [
                "RocketReactor",
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
            ],
            swiftSettings: strictSettings),
        .testTarget(
            name: "RocketReactorTests",
            dependencies: [
                "RocketReactor", "RocketReactorTestKit",
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
            ],
            swiftSettings: settings),
    ]
)
