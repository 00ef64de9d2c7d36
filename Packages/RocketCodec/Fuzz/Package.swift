// swift-tools-version: 6.2
// Fuzz targets of RocketCodec, a package of their own: they build only with --sanitize=fuzzer.
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

/// An executable for one `FuzzTarget` of RocketCodecFuzzing.
func fuzzer(_ name: String) -> Target {
    .executableTarget(
        name: name,
        dependencies: [.product(name: "RocketCodecFuzzing", package: "RocketCodec")],
        swiftSettings: strictSettings + [
            .unsafeFlags(["-sanitize=fuzzer", "-parse-as-library"])
        ],
        linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])])
}

let package = Package(
    name: "RocketCodecFuzz",
    dependencies: [.package(path: "..")],
    targets: [
        fuzzer("FuzzTinyPB"), fuzzer("FuzzLengthField"), fuzzer("FuzzMetadata"),
        fuzzer("FuzzErrorStatus"), fuzzer("FuzzRoundTrip"),
    ]
)
