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
    name: "RocketBase",
    products: [
        .library(name: "RocketSystem", targets: ["RocketSystem"]),
        .library(name: "RocketRuntime", targets: ["RocketRuntime"]),
        .library(name: "RocketBase", targets: ["RocketBase"]),
        .library(name: "RocketConfigDocs", targets: ["RocketConfigDocs"]),
        .library(name: "RocketBaseTestKit", targets: ["RocketBaseTestKit"]),
        // What needs more than libc: linked only by those who name it.
        .library(name: "CSystemd", targets: ["CSystemd"]),
        .library(name: "RocketJournal", targets: ["RocketJournal"]),
        .library(name: "RocketSystemd", targets: ["RocketSystemd"]),
        .library(name: "RocketLogging", targets: ["RocketLogging"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2")
    ],
    targets: [
        .target(name: "CRocketSystem"),
        .target(name: "CRocketLog", dependencies: ["CRocketSystem"]),
        .target(
            name: "RocketSystem", dependencies: ["CRocketSystem"],
            swiftSettings: strictSettings),
        .target(name: "CRocketRuntime"),
        // ROCKET_PUBLIC_RUNTIME=1 compiles public API in place of the runtime's own functions.
        .target(
            name: "RocketRuntime", dependencies: ["CRocketRuntime"], exclude: ["SAFETY.md"],
            swiftSettings: strictSettings
                + (Context.environment["ROCKET_PUBLIC_RUNTIME"] == nil
                    ? [] : [.define("ROCKET_PUBLIC_RUNTIME")])),
        .target(name: "CTinyXML", linkerSettings: [.linkedLibrary("tinyxml")]),
        .target(
            name: "RocketBase", dependencies: ["RocketSystem", "CRocketLog", "CTinyXML"],
            swiftSettings: strictSettings),
        .target(
            name: "RocketConfigDocs", dependencies: ["RocketSystem", "RocketBase"],
            swiftSettings: settings),
        .target(
            name: "RocketBaseTestKit", dependencies: ["RocketSystem", "RocketBase"],
            swiftSettings: strictSettings),
        .systemLibrary(
            name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .target(
            name: "RocketJournal",
            dependencies: ["RocketSystem", "RocketBase", "CRocketLog", "CSystemd"],
            swiftSettings: strictSettings),
        .target(
            name: "RocketSystemd", dependencies: ["RocketSystem", "RocketBase", "CSystemd"],
            swiftSettings: strictSettings),
        .target(
            name: "RocketLogging",
            dependencies: ["RocketBase", .product(name: "Logging", package: "swift-log")],
            swiftSettings: settings),
        .testTarget(
            name: "RocketJournalTests",
            dependencies: ["RocketSystem", "RocketBase", "RocketJournal"], swiftSettings: settings),
        .testTarget(
            name: "RocketSystemdTests",
            dependencies: ["RocketSystem", "RocketBase", "RocketSystemd", "RocketBaseTestKit"],
            swiftSettings: settings),
        .testTarget(
            name: "RocketLoggingTests",
            dependencies: [
                "RocketSystem", "RocketBase", "RocketLogging",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "RocketRuntimeTests", dependencies: ["RocketSystem", "RocketRuntime"],
            swiftSettings: settings),
        .testTarget(
            name: "RocketSystemTests", dependencies: ["RocketSystem", "RocketBaseTestKit"],
            swiftSettings: settings),
        .testTarget(
            name: "RocketBaseTests",
            dependencies: ["RocketSystem", "RocketBase", "RocketConfigDocs", "RocketBaseTestKit"],
            swiftSettings: settings),
    ]
)
