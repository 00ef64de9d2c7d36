public import Testing

/// One requirement on every store of orders. A store runs all of them:
///
///     @Test("The store keeps its contract", arguments: OrderStoreConformance.all)
///     func contract(_ check: OrderStoreConformance) async throws {
///         try await check.run(Harness())
///     }
public struct OrderStoreConformance: Sendable, CustomTestStringConvertible {
    /// The requirement, as a sentence.
    public let name: String
    private let body: @Sendable (any OrderStoreHarness) async throws -> Void

    init(
        _ name: String, _ body: @escaping @Sendable (any OrderStoreHarness) async throws -> Void
    ) {
        self.name = name
        self.body = body
    }

    /// All requirements.
    public static let all = storing + idempotency + listing + limits + watching + failing

    /// The requirement.
    public var testDescription: String { name }

    /// Checks the requirement with a new harness, and records issues of the current test.
    public func run(_ harness: some OrderStoreHarness) async throws { try await body(harness) }
}
