// swift-tools-version: 6.2
// Fuzz targets of RocketBase, a package of their own: they build only with --sanitize=fuzzer.
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
    name: "RocketNATSFuzz",
    dependencies: [.package(path: ".."), .package(path: "../../RocketCodec")],
    targets: [
        .executableTarget(
            name: "FuzzNATS",
            dependencies: [
                .product(name: "RocketNATS", package: "RocketNATS"),
                .product(name: "RocketCodec", package: "RocketCodec"),
            ],
            swiftSettings: strictSettings + [
                .unsafeFlags(["-sanitize=fuzzer", "-parse-as-library"])
            ],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])])
    ]
)
