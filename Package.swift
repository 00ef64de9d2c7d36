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

// Rocket as one package, for dependencies by the repository's URL: SwiftPM only finds a manifest in
// the root folder, and rejects one there that depends on packages by path. The repository itself is
// not built with it; a test compares it with Packages/*/Package.swift. See docs/decisions/0013.

/// A library target of one of the packages.
func library(
    _ name: String, of package: String, _ dependencies: [Target.Dependency] = [],
    exclude: [String] = [], unsafe: Bool = false, linkerSettings: [LinkerSetting] = []
) -> Target {
    let isC = name.hasPrefix("C")
    return .target(
        name: name, dependencies: dependencies, path: "Packages/\(package)/Sources/\(name)",
        exclude: exclude, swiftSettings: isC ? nil : unsafe ? strictSettings : settings,
        linkerSettings: linkerSettings)
}

let swiftProtobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")
let pluginLibrary: Target.Dependency = .product(
    name: "SwiftProtobufPluginLibrary", package: "swift-protobuf")
let lifecycle: Target.Dependency = .product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let base: [Target] = [
    library("CRocketSystem", of: "RocketBase"),
    library("CRocketLog", of: "RocketBase", ["CRocketSystem"]),
    library("CTinyXML", of: "RocketBase", linkerSettings: [.linkedLibrary("tinyxml")]),
    .systemLibrary(
        name: "CSystemd", path: "Packages/RocketBase/Sources/CSystemd", pkgConfig: "libsystemd",
        providers: [.apt(["libsystemd-dev"])]),
    library("RocketSystem", of: "RocketBase", ["CRocketSystem"], unsafe: true),
    library("CRocketRuntime", of: "RocketBase"),
    library(
        "RocketRuntime", of: "RocketBase", ["CRocketRuntime"], exclude: ["SAFETY.md"],
        unsafe: true),
    library(
        "RocketBase", of: "RocketBase", ["RocketSystem", "CRocketLog", "CTinyXML"], unsafe: true),
    library(
        "RocketJournal", of: "RocketBase",
        ["RocketSystem", "RocketBase", "CRocketLog", "CSystemd"],
        unsafe: true),
    library(
        "RocketSystemd", of: "RocketBase", ["RocketSystem", "RocketBase", "CSystemd"],
        unsafe: true),
    library("RocketLogging", of: "RocketBase", ["RocketBase", logging]),
]

let tls: [Target] = [
    .systemLibrary(
        name: "COpenSSL", path: "Packages/RocketTLS/Sources/COpenSSL", pkgConfig: "openssl",
        providers: [.apt(["libssl-dev"])]),
    library("CRocketTLS", of: "RocketTLS", ["COpenSSL"]),
    library(
        "RocketTLS", of: "RocketTLS", ["COpenSSL", "CRocketTLS", "RocketBase", "RocketSystem"],
        unsafe: true),
]

let compression: [Target] = [
    .systemLibrary(
        name: "CZlib", path: "Packages/RocketCompression/Sources/CZlib", pkgConfig: "zlib",
        providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
        name: "CZstd", path: "Packages/RocketCompression/Sources/CZstd", pkgConfig: "libzstd",
        providers: [.apt(["libzstd-dev"])]),
    library("CRocketCompression", of: "RocketCompression", ["CZlib", "CZstd"]),
    library(
        "RocketCompression", of: "RocketCompression", ["CRocketCompression", "RocketBase"],
        unsafe: true),
]

let http2: [Target] = [
    .systemLibrary(
        name: "CNghttp2", path: "Packages/RocketHTTP2/Sources/CNghttp2", pkgConfig: "libnghttp2",
        providers: [.apt(["libnghttp2-dev"])]),
    library("CRocketHTTP2", of: "RocketHTTP2", ["CNghttp2"]),
    library(
        "RocketHTTP2", of: "RocketHTTP2", ["CRocketHTTP2", "RocketBase", "RocketSystem"],
        unsafe: true),
]

let dns: [Target] = [
    .systemLibrary(
        name: "CCares", path: "Packages/RocketDNS/Sources/CCares", pkgConfig: "libcares",
        providers: [.apt(["libc-ares-dev"])]),
    library("CRocketDNS", of: "RocketDNS", ["CCares"]),
    library(
        "RocketDNS", of: "RocketDNS",
        ["CRocketDNS", "RocketBase", "RocketSystem", "RocketReactor"], unsafe: true),
]

let nats: [Target] = [
    library(
        "RocketNATS", of: "RocketNATS",
        ["RocketBase", "RocketSystem", "RocketReactor", "RocketTCP", "RocketCodec", "RocketTLS"],
        unsafe: true)
]

let balancing: [Target] = [
    library("RocketBalancing", of: "RocketBalancing", ["RocketSystem"])
]

let dynamic: [Target] = [
    library("CRocketProtobuf", of: "RocketDynamic", linkerSettings: [.linkedLibrary("protobuf")]),
    library(
        "RocketDynamic", of: "RocketDynamic", ["CRocketProtobuf", "RocketBase"], unsafe: true),
]

let layers: [Target.Dependency] = [
    "RocketSystem", "RocketRuntime", "RocketBase", "RocketSystemd", "RocketReactor", "RocketTCP",
    "RocketCodec", "RocketBalancing",
]

let rpc: [Target] = [
    library("RocketReactor", of: "RocketReactor", ["RocketSystem", "RocketBase"], unsafe: true),
    library(
        "RocketTCP", of: "RocketTCP",
        ["RocketBase", "RocketSystem", "RocketSystemd", "RocketReactor"],
        unsafe: true),
    library("RocketCodec", of: "RocketCodec", ["RocketBase", "RocketSystem"], unsafe: true),
    library("RocketRPC", of: "RocketRPC", layers + [swiftProtobuf, lifecycle], unsafe: true),
    library(
        "RocketRPCMetrics", of: "RocketRPC",
        [
            "RocketRPC", "RocketSystem", "RocketBase",
            .product(name: "Metrics", package: "swift-metrics"),
        ]),
    library(
        "RocketRPCTracing", of: "RocketRPC",
        [
            "RocketRPC", "RocketBase", "RocketCodec", "RocketTCP", swiftProtobuf,
            .product(name: "Tracing", package: "swift-distributed-tracing"),
        ]),
    library(
        "RocketGRPC", of: "RocketGRPC",
        [
            "RocketSystem", "RocketBase", "RocketReactor", "RocketTCP", "RocketCodec", "RocketRPC",
            "RocketHTTP2", swiftProtobuf,
        ], unsafe: true),
    library(
        "RocketNames", of: "RocketNames",
        [
            "RocketSystem", "RocketBase", "RocketReactor", "RocketTCP", "RocketDNS", "RocketRPC",
            swiftProtobuf, lifecycle,
        ]),
    library(
        "RocketEtcd", of: "RocketNames",
        [
            "RocketSystem", "RocketBase", "RocketReactor", "RocketTCP", "RocketCodec", "RocketRPC",
            "RocketGRPC", "RocketNames", swiftProtobuf,
        ]),
    library(
        "RocketOTLP", of: "RocketOTLP",
        [
            "RocketSystem", "RocketBase", "RocketReactor", "RocketTCP", "RocketCodec", "RocketRPC",
            "RocketGRPC", swiftProtobuf, lifecycle,
            .product(name: "Tracing", package: "swift-distributed-tracing"),
        ]),
    library(
        "RocketRPCJWT", of: "RocketRPCJWT",
        ["RocketRPC", "RocketBase", "RocketSystem", .product(name: "JWTKit", package: "jwt-kit")]),
    library(
        "RocketSimulation", of: "RocketSimulation",
        [
            "RocketSystem", "RocketBase", "RocketReactor", "RocketTCP", "RocketCodec", "RocketRPC",
            swiftProtobuf,
        ], unsafe: true),
    library(
        "RocketProgram", of: "RocketProgram",
        [
            "RocketAdmin", "RocketBase", "RocketCodec", "RocketCompression", "RocketEtcd",
            "RocketGRPC", "RocketJournal", "RocketNames", "RocketOTLP", "RocketReactor",
            "RocketRPC", "RocketRPCTracing", "RocketSystem", "RocketSystemd", "RocketTCP",
            "RocketTLS", swiftProtobuf, lifecycle, logging,
            .product(name: "Tracing", package: "swift-distributed-tracing"),
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ]),
]

let admin: [Target] = [
    .systemLibrary(
        name: "CMicrohttpd", path: "Packages/RocketAdmin/Sources/CMicrohttpd",
        pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
    library("CRocketMicrohttpd", of: "RocketAdmin", ["CMicrohttpd"]),
    library("RocketBinaryLog", of: "RocketAdmin", ["RocketSystem", swiftProtobuf]),
    library(
        "RocketAdmin", of: "RocketAdmin",
        [
            "RocketSystem", "RocketBase", "RocketReactor", "RocketTCP", "RocketCodec", "RocketRPC",
            lifecycle, "CRocketMicrohttpd", "RocketBinaryLog", swiftProtobuf,
            .product(name: "Metrics", package: "swift-metrics"),
        ],
        unsafe: true),
]

let generator: [Target] = [
    library(
        "RocketGeneratorPlugin", of: "RocketGenerator",
        ["RocketSystem", swiftProtobuf, pluginLibrary], unsafe: true),
    .executableTarget(
        name: "protoc-gen-rocket", dependencies: ["RocketGeneratorPlugin", pluginLibrary],
        path: "Packages/RocketGenerator/Sources/protoc-gen-rocket",
        swiftSettings: strictSettings),
    library(
        "RocketGeneratorKit", of: "RocketGenerator",
        [
            "RocketGeneratorPlugin", "RocketProgram", "RocketSystem", swiftProtobuf, pluginLibrary,
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ]),
    .executableTarget(
        name: "rocket_generator", dependencies: ["RocketGeneratorKit", "RocketProgram"],
        path: "Packages/RocketGenerator/Sources/rocket_generator", swiftSettings: settings),
    .plugin(
        name: "generate-rocket",
        capability: .command(
            intent: .custom(
                verb: "generate-rocket",
                description: "Generates Swift from .proto files: messages, services, clients."),
            permissions: [
                .writeToPackageDirectory(reason: "It writes the generated code into the package.")
            ]),
        dependencies: [
            "protoc-gen-rocket", .product(name: "protoc-gen-swift", package: "swift-protobuf"),
        ],
        path: "Packages/RocketGenerate/Plugins/GenerateRocket"),
]

let libraries = [
    "RocketSystem", "RocketBase", "RocketJournal", "RocketSystemd", "RocketLogging",
    "RocketReactor", "RocketTCP", "RocketDNS", "RocketCodec", "RocketTLS", "RocketCompression",
    "RocketHTTP2", "RocketBalancing", "RocketDynamic", "RocketNATS", "RocketRPC",
    "RocketRPCMetrics", "RocketRPCTracing",
    "RocketRPCJWT", "RocketGRPC", "RocketNames", "RocketEtcd", "RocketAdmin",
    "RocketBinaryLog", "RocketOTLP", "RocketProgram", "RocketSimulation",
]

let package = Package(
    name: "rocket",
    products: libraries.map { .library(name: $0, targets: [$0]) } + [
        .executable(name: "protoc-gen-rocket", targets: ["protoc-gen-rocket"]),
        .executable(name: "rocket_generator", targets: ["rocket_generator"]),
        .plugin(name: "generate-rocket", targets: ["generate-rocket"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: base + tls + compression + http2 + dns + nats + balancing + dynamic + rpc + admin
        + generator
)
