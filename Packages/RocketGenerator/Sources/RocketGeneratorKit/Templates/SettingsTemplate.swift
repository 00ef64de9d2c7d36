import RocketGeneratorPlugin

/// The compiler's settings: Rocket's own.
enum SettingsTemplate {
    static let lines = Lines(
        text: """
            let settings: [SwiftSetting] = [
                .swiftLanguageMode(.v6),
                .enableUpcomingFeature("ExistentialAny"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .treatAllWarnings(as: .error),
            ]
            """)
}
