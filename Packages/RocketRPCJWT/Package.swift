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
    name: "RocketRPCJWT",
    products: [
        .library(name: "RocketRPCJWT", targets: ["RocketRPCJWT"])
    ],
    dependencies: [
        .package(path: "../RocketBase"),
        .package(path: "../RocketRPC"),
        // Of the tests only.
        .package(path: "../RocketTCP"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        .target(
            name: "RocketRPCJWT",
            dependencies: [
                "RocketRPC",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "JWTKit", package: "jwt-kit"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "RocketRPCJWTTests",
            dependencies: [
                "RocketRPC", "RocketRPCJWT",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "JWTKit", package: "jwt-kit"),
            ],
            swiftSettings: settings),
    ]
)
