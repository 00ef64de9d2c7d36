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
    name: "RocketBalancing",
    products: [.library(name: "RocketBalancing", targets: ["RocketBalancing"])],
    dependencies: [.package(path: "../RocketBase")],
    targets: [
        .target(
            name: "RocketBalancing",
            dependencies: [.product(name: "RocketSystem", package: "RocketBase")],
            swiftSettings: settings),
        .testTarget(
            name: "RocketBalancingTests",
            dependencies: [
                "RocketBalancing", .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: settings),
    ]
)
