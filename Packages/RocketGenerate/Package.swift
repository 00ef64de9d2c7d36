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
    name: "RocketGenerate",
    products: [.plugin(name: "generate-rocket", targets: ["generate-rocket"])],
    dependencies: [
        .package(path: "../RocketGenerator"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    ],
    targets: [
        // `swift package generate-rocket`, for packages that depend on this one. It is a separate
        // package because SwiftPM compiles the tools of a root package's plugins a second time.
        .plugin(
            name: "generate-rocket",
            capability: .command(
                intent: .custom(
                    verb: "generate-rocket",
                    description: "Generates Swift from .proto files: messages, services, clients."),
                permissions: [
                    .writeToPackageDirectory(
                        reason: "It writes the generated code into the package.")
                ]),
            dependencies: [
                .product(name: "protoc-gen-rocket", package: "RocketGenerator"),
                .product(name: "protoc-gen-swift", package: "swift-protobuf"),
            ],
            path: "Plugins/GenerateRocket")
    ]
)
