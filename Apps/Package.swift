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
    name: "Apps",
    products: [
        .library(name: "OrderProtos", targets: ["OrderProtos"]),
        // Worlds of the programs, for tests and `make simulate`.
        .library(name: "AppScenarios", targets: ["AppScenarios"]),
        .executable(name: "order_server", targets: ["order_server"]),
        .executable(name: "order_client", targets: ["order_client"]),
        .executable(name: "chat_server", targets: ["chat_server"]),
        .executable(name: "chat_client", targets: ["chat_client"]),
        .executable(name: "rocket", targets: ["rocket"]),
        .executable(name: "rocket_bench_server", targets: ["rocket_bench_server"]),
        .executable(name: "rocket_bench_client", targets: ["rocket_bench_client"]),
        .executable(name: "rocket_bench_paths", targets: ["rocket_bench_paths"]),
        .executable(name: "rocket_config_docs", targets: ["rocket_config_docs"]),
    ],
    dependencies: [
        .package(path: "../Packages/RocketBase"),
        .package(path: "../Packages/RocketReactor"),
        .package(path: "../Packages/RocketTCP"),
        .package(path: "../Packages/RocketCodec"),
        .package(path: "../Packages/RocketBalancing"),
        .package(path: "../Packages/RocketRPC"),
        .package(path: "../Packages/RocketGRPC"),
        .package(path: "../Packages/RocketAdmin"),
        .package(path: "../Packages/RocketSimulation"),
        .package(path: "../Packages/RocketDynamic"),
        .package(path: "../Packages/RocketNATS"),
        .package(path: "../Packages/RocketProgram"),
        .package(path: "../Packages/RocketGenerator"),
        .package(url: "https://github.com/apple/swift-protobuf.git", exact: "1.39.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
    ],
    targets: [
        // Messages, service and client of the order service, generated from Protos/order.proto by
        // `make generate` and committed.
        .target(
            name: "OrderProtos",
            dependencies: [
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "SwiftProtobuf", package: swiftProtobuf),
            ],
            swiftSettings: settings),

        // SQLite in the small part of GRDB's API that the store needs, without Foundation.
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .target(
            name: "SQLite",
            dependencies: ["CSQLite", .product(name: "RocketSystem", package: "RocketBase")],
            swiftSettings: strictSettings),
        .testTarget(name: "SQLiteTests", dependencies: ["SQLite"], swiftSettings: settings),

        // What a store of orders is, and what all stores share.
        .target(
            name: "OrderStoring",
            dependencies: [.product(name: "RocketSystem", package: "RocketBase")],
            swiftSettings: settings),
        .testTarget(
            name: "OrderStoringTests",
            dependencies: [
                "OrderStoring", .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: settings),
        // The contract of a store as tests, which every store runs.
        .target(
            name: "OrderStoreConformance",
            dependencies: [
                "OrderStoring",
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
            ],
            path: "Tests/OrderStoreConformance", swiftSettings: settings),

        // The store on a disk: SQLite with its own threads and group commit.
        .target(
            name: "OrderStore",
            dependencies: [
                "OrderStoring", "SQLite", .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "OrderStoreTests",
            dependencies: [
                "OrderStore", "OrderStoreConformance", "OrderStoring", "SQLite",
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
            ],
            swiftSettings: settings),

        // PostgreSQL by libpq in pipeline mode, on a loop; and the store of several servers on it.
        .systemLibrary(
            name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(
            name: "Postgres",
            dependencies: [
                "CPostgres",
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: strictSettings),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres"], swiftSettings: settings),
        .target(
            name: "PostgresOrderStore",
            dependencies: [
                "OrderStoring", "Postgres",
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "PostgresOrderStoreTests",
            dependencies: [
                "OrderStore", "OrderStoreConformance", "OrderStoring", "Postgres",
                "PostgresOrderStore", "SQLite",
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
            ],
            swiftSettings: settings),

        // The store on a simulated disk, for tests only: SQLite's interface to files in C.
        .target(name: "CSimulatedSQLite", dependencies: ["CSQLite"]),
        .target(
            name: "SimulatedOrderStore",
            dependencies: [
                "CSimulatedSQLite", "OrderStore", "OrderStoring",
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketSimulation", package: "RocketSimulation"),
                .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: strictSettings),
        .testTarget(
            name: "SimulatedOrderStoreTests",
            dependencies: [
                "OrderStore", "OrderStoring", "SQLite", "SimulatedOrderStore",
                .product(name: "RocketSimulation", package: "RocketSimulation"),
                .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: settings),

        // order_server; the executable target only runs its command.
        .target(
            name: "OrderServerKit",
            dependencies: [
                "OrderProtos", "OrderStore", "OrderStoring", "Postgres", "PostgresOrderStore",
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketSystemd", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "OrderServerKitTests",
            dependencies: [
                "OrderServerKit", "OrderProtos", "OrderStore", "OrderStoring", "Postgres",
                "PostgresOrderStore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "SwiftProtobuf", package: swiftProtobuf),
            ],
            swiftSettings: settings),

        .executableTarget(
            name: "order_server",
            dependencies: [
                "OrderServerKit", .product(name: "RocketProgram", package: "RocketProgram"),
            ],
            swiftSettings: settings),

        // Generates the documents of the configuration, with the sections of the programs.
        .executableTarget(
            name: "rocket_config_docs",
            dependencies: [
                "ChatServerKit", "OrderServerKit",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketConfigDocs", package: "RocketBase"),
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: settings),

        // order_client; the executable target only runs its command.
        .target(
            name: "OrderClientKit",
            dependencies: [
                "OrderProtos",
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "OrderClientKitTests",
            dependencies: [
                "OrderClientKit", "OrderProtos",
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "SwiftProtobuf", package: swiftProtobuf),
            ],
            swiftSettings: settings),

        .executableTarget(
            name: "order_client",
            dependencies: [
                "OrderClientKit", .product(name: "RocketProgram", package: "RocketProgram"),
            ],
            swiftSettings: settings),

        // rocket, the tool; the executable target only runs its command.
        // The only C of it: Debian's libcurl, which reads the page of a server for rocket top.
        .target(name: "CRocketHTTPClient", linkerSettings: [.linkedLibrary("curl")]),
        .target(
            name: "RocketToolKit",
            dependencies: [
                "CRocketHTTPClient",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketBinaryLog", package: "RocketAdmin"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketDynamic", package: "RocketDynamic"),
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "SwiftProtobuf", package: swiftProtobuf),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "RocketToolKitTests",
            dependencies: [
                "RocketToolKit", "OrderProtos",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
                .product(name: "RocketBinaryLog", package: "RocketAdmin"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketDynamic", package: "RocketDynamic"),
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "SwiftProtobuf", package: swiftProtobuf),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "rocket",
            dependencies: [
                "RocketToolKit", .product(name: "RocketProgram", package: "RocketProgram"),
            ],
            swiftSettings: settings),

        // The programs of the benchmark: a server without a database, a load client.
        .target(
            name: "BenchKit",
            dependencies: [
                "OrderProtos",
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "RocketAdmin", package: "RocketAdmin"),
                .product(name: "RocketBalancing", package: "RocketBalancing"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketGRPC", package: "RocketGRPC"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "SwiftProtobuf", package: swiftProtobuf),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "BenchKitTests",
            dependencies: [
                "BenchKit", "OrderProtos",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "RocketGRPC", package: "RocketGRPC"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "SwiftProtobuf", package: swiftProtobuf),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "rocket_bench_server",
            dependencies: [
                "BenchKit", .product(name: "RocketProgram", package: "RocketProgram"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "rocket_bench_client",
            dependencies: [
                "BenchKit", .product(name: "RocketProgram", package: "RocketProgram"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "rocket_bench_paths",
            dependencies: [
                "BenchKit", .product(name: "RocketProgram", package: "RocketProgram"),
            ],
            swiftSettings: settings),

        // The chat: on the layers below RPC. The executable targets only run their commands.
        .target(
            name: "ChatServerKit",
            dependencies: [
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketJournal", package: "RocketBase"),
                .product(name: "RocketNATS", package: "RocketNATS"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketSystemd", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ChatServerKitTests",
            dependencies: [
                "ChatServerKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketBaseTestKit", package: "RocketBase"),
                .product(name: "RocketNATS", package: "RocketNATS"),
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketReactorTestKit", package: "RocketReactor"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "RocketTCPTestKit", package: "RocketTCP"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "chat_server",
            dependencies: [
                "ChatServerKit", .product(name: "RocketProgram", package: "RocketProgram"),
            ],
            swiftSettings: settings),
        .target(
            name: "ChatClientKit",
            dependencies: [
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ChatClientKitTests",
            dependencies: [
                "ChatClientKit",
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketReactorTestKit", package: "RocketReactor"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "RocketTCPTestKit", package: "RocketTCP"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "chat_client",
            dependencies: [
                "ChatClientKit", .product(name: "RocketProgram", package: "RocketProgram"),
            ],
            swiftSettings: settings),

        // Worlds of the programs, for `make simulate` and for tests.
        .target(
            name: "AppScenarios",
            dependencies: [
                "ChatClientKit", "ChatServerKit", "OrderProtos", "OrderServerKit", "OrderStore",
                "OrderStoring", "SimulatedOrderStore",
                .product(name: "RocketProgram", package: "RocketProgram"),
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketReactor", package: "RocketReactor"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketSimulation", package: "RocketSimulation"),
                .product(name: "RocketSystem", package: "RocketBase"),
                .product(name: "RocketTCP", package: "RocketTCP"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "AppScenariosTests",
            dependencies: [
                "AppScenarios",
                .product(name: "RocketSimulation", package: "RocketSimulation"),
                .product(name: "RocketSystem", package: "RocketBase"),
            ],
            swiftSettings: settings),

        // All programs: `make all` builds this target, and so none that only tests need.
        .target(
            name: "Programs",
            dependencies: [
                "chat_client", "chat_server", "order_client", "order_server", "rocket",
                "rocket_bench_client", "rocket_bench_paths", "rocket_bench_server",
                "rocket_config_docs",
                .product(name: "protoc-gen-rocket", package: "RocketGenerator"),
                .product(name: "rocket_generator", package: "RocketGenerator"),
            ],
            swiftSettings: settings),

        // Tests that generated code compiles (from GeneratedCodeProtos, by scripts/generate.sh), and
        // that a generated client can call a generated service.
        .target(
            name: "GeneratedCodeCommon",
            dependencies: [
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "SwiftProtobuf", package: swiftProtobuf),
            ],
            path: "Tests/GeneratedCodeCommon", swiftSettings: strictSettings),
        .testTarget(
            name: "GeneratedCodeTests",
            dependencies: [
                "GeneratedCodeCommon", "OrderProtos",
                .product(name: "RocketBase", package: "RocketBase"),
                .product(name: "RocketCodec", package: "RocketCodec"),
                .product(name: "RocketRPC", package: "RocketRPC"),
                .product(name: "RocketTCP", package: "RocketTCP"),
                .product(name: "SwiftProtobuf", package: swiftProtobuf),
            ],
            swiftSettings: strictSettings),
    ]
)
