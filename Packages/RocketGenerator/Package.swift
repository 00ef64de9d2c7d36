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

let swiftProtobuf = "swift-protobuf"

let package = Package(
    name: "RocketGenerator",
    products: [
        .executable(name: "rocket_generator", targets: ["rocket_generator"]),
        .executable(name: "protoc-gen-rocket", targets: ["protoc-gen-rocket"]),
    ],
    dependencies: [
        .package(path: "../RocketBase"),
        .package(path: "../RocketProgram"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        // protoc's plugin for services: `protoc --rocket_out=…`.
        .executableTarget(
            name: "protoc-gen-rocket",
            dependencies: [
                "RocketGeneratorPlugin",
                .product(name: "SwiftProtobufPluginLibrary", package: swiftProtobuf),
            ],
            swiftSettings: strictSettings),
        .target(
            name: "RocketGeneratorPlugin",
            dependencies: [
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "SwiftProtobuf", package: swiftProtobuf),
                .product(name: "SwiftProtobufPluginLibrary", package: swiftProtobuf),
            ],
            swiftSettings: strictSettings),
        .testTarget(
            name: "RocketGeneratorPluginTests",
            dependencies: [
                "RocketGeneratorPlugin", "protoc-gen-rocket",
                .product(name: "SwiftProtobuf", package: swiftProtobuf),
                .product(name: "SwiftProtobufPluginLibrary", package: swiftProtobuf),
            ],
            swiftSettings: settings),

        // Generates whole projects; the executable only runs the command of the library.
        .executableTarget(
            name: "rocket_generator",
            dependencies: [
                "RocketGeneratorKit", .product(name: "RocketProgram", package: "RocketProgram"),
            ],
            swiftSettings: settings),
        .target(
            name: "RocketGeneratorKit",
            dependencies: [
                "RocketGeneratorPlugin",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "SwiftProtobuf", package: swiftProtobuf),
                .product(name: "SwiftProtobufPluginLibrary", package: swiftProtobuf),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "RocketGeneratorKitTests",
            dependencies: [
                "RocketGeneratorKit", "RocketGeneratorPlugin",
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "SwiftProtobuf", package: swiftProtobuf),
                .product(name: "SwiftProtobufPluginLibrary", package: swiftProtobuf),
            ],
            swiftSettings: settings),
    ]
)
