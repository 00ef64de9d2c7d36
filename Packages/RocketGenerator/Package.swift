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

// Links Swift's runtime statically, for machines without Swift; see Apps/Package.swift.
let selfContained: [LinkerSetting] = [
    .unsafeFlags(
        [
            "-static-stdlib", "-lCoreFoundation", "-l_FoundationICU", "-l_FoundationCShims",
            "-l_FoundationCollections", "-lBlocksRuntime", "-lswiftSynchronization",
        ],
        .when(configuration: .release))
]

let package = Package(
    name: "RocketGenerator",
    products: [
        .executable(name: "rocket_generator", targets: ["rocket_generator"]),
        .executable(name: "protoc-gen-rocket", targets: ["protoc-gen-rocket"]),
    ],
    dependencies: [
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
            swiftSettings: strictSettings, linkerSettings: selfContained),
        .target(
            name: "RocketGeneratorPlugin",
            dependencies: [
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
            swiftSettings: settings, linkerSettings: selfContained),
        .target(
            name: "RocketGeneratorKit",
            dependencies: [
                "RocketGeneratorPlugin",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "RocketProgram", package: "RocketProgram"),
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
