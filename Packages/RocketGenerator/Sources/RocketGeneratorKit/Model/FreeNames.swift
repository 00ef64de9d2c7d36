import RocketGeneratorPlugin

/// Assigns unique names to the types and programs of each method. A method keeps its earlier names,
/// because the files that contain the user's logic are named after them.
struct FreeNames {
    private var taken: Set<String>
    private var programs: Set<String>
    /// Earlier names that are still free, by the method's full name.
    private let kept: [String: MethodRecord.Entry]

    /// - Parameter old: earlier records of methods that still exist.
    init(scope: ModuleScope, reserved: Set<String>, old: [MethodRecord.Entry] = []) {
        let others = reserved.union(scope.owners.keys)
        let free = old.filter { !others.contains($0.interface) }
        taken = others.union(free.map(\.interface))
        programs = Set(free.map(\.testClient))
        kept = Dictionary(free.map { ($0.fullName, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Returns `OrderServiceImpl` for the protocol `OrderService`.
    mutating func implementation(of service: ServiceModel) -> String {
        take(["\(service.protocolName)Impl"], from: &taken)
    }

    /// Returns `MakeOrder`, or a name with the service's name in it if that is taken.
    mutating func interface(of method: MethodModel, in service: ServiceModel) -> String {
        if let old = kept["\(service.fullName).\(method.name)"] { return old.interface }
        let plain = SwiftName.upperCamel(method.name)
        let stem = service.clientName.dropLast("Client".count)
        let isName = plain.first?.isLetter == true
        return take(
            (isName ? [plain, "\(plain)Interface"] : []) + ["\(stem)\(plain)"], from: &taken)
    }

    /// Returns `test_make_order_client`, or a name with the service's name in it if that is taken.
    mutating func testClient(of method: MethodModel, in service: ServiceModel) -> String {
        if let old = kept["\(service.fullName).\(method.name)"] { return old.testClient }
        let plain = SnakeCase.of(method.name)
        let long = SnakeCase.of("\(service.fullName.replacing(".", with: "_"))_\(plain)")
        return take(["test_\(plain)_client", "test_\(long)_client"], from: &programs)
    }

    /// Returns the first candidate that is free, or else the last one with a number.
    private func take(_ candidates: [String], from names: inout Set<String>) -> String {
        var name = candidates.first { !names.contains($0) }
        var number = 2
        while name == nil {
            let numbered = "\(candidates[candidates.count - 1])\(number)"
            if !names.contains(numbered) { name = numbered }
            number += 1
        }
        let found = name ?? ""
        names.insert(found)
        return found
    }
}
