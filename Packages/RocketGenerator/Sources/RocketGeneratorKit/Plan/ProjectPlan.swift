/// All that a run would do, as a value: made from what a project should have and what is there.
struct ProjectPlan: Equatable {
    /// In the order in which they are done.
    var steps: [PlanStep] = []
    /// What has become of the methods since the last run, one line each.
    var changes: [String] = []
    /// What a person has to look at, one line each.
    var warnings: [String] = []

    /// Plans it.
    ///
    /// - Parameters:
    ///   - files: what the project should have.
    ///   - state: what is there.
    ///   - force: writes yours anew as well; what was there is kept under another name.
    init(files: [ProjectFile], state: FolderState, force: Bool = false) {
        for file in files { add(file, state, force: force) }
        removeGenerated(except: Set(files.map(\.path)), state)
    }

    /// What was generated for services and .proto files that are gone: it would not compile, or
    /// say things twice.
    private mutating func removeGenerated(except paths: Set<String>, _ state: FolderState) {
        for (path, old) in state.generated.sorted(by: { $0.key < $1.key })
        where !paths.contains(path) && ContentHash.isSealed(old) {
            var step = PlanStep(path: path, action: .remove, old: old, text: "")
            if ContentHash.opened(old) == nil {
                let kept = state.freeName(beside: path)
                step.action = .keepAndRemove(kept)
                warnings.append("\(path) was changed by hand: kept as \(kept)")
            }
            steps.append(step)
        }
    }

    private mutating func add(_ file: ProjectFile, _ state: FolderState, force: Bool) {
        let old = state.text(file.path)
        var step = PlanStep(
            path: file.path, action: .create, old: old, text: file.text,
            isExecutable: file.isExecutable)
        if let old {
            step.text = text(of: file, over: old, force: force)
            step.action = action(for: file, old, step.text, state, force: force)
        }
        if case .keepAndRenew(let kept) = step.action {
            warnings.append("\(file.path) was changed by hand: kept as \(kept)")
        }
        steps.append(step)
    }

    /// What shall stand there: of a shared file only its block is ours.
    private mutating func text(of file: ProjectFile, over old: String, force: Bool) -> String {
        guard file.ownership == .shared, !force else { return file.text }
        if let renewed = GeneratedBlock.renewed(old, from: file.text) { return renewed }
        warnings.append(
            "\(file.path) has lost its marks: add what is new yourself; --diff --force-user-files "
                + "shows how it would be")
        return old
    }

    private func action(
        for file: ProjectFile, _ old: String, _ new: String, _ state: FolderState, force: Bool
    ) -> PlanStep.Action {
        if old == new { return .leaveEqual }
        switch file.ownership {
        case .yours:
            return force ? .keepAndRenew(state.freeName(beside: file.path)) : .leaveYours
        case .shared:
            return force || GeneratedBlock.state(of: old) == .edited
                ? .keepAndRenew(state.freeName(beside: file.path)) : .renew
        case .generated:
            // `swift package generate-rocket` writes the same without seal and record.
            let bare = ContentHash.opened(new).map(ProtoRecord.withoutRecord)
            let isOurs = ContentHash.opened(old) != nil || bare == old
            return isOurs ? .renew : .keepAndRenew(state.freeName(beside: file.path))
        case .copy:
            let isOurs = state.copiedHash(of: file.path) == ContentHash.hash(old)
            return isOurs ? .renew : .keepAndRenew(state.freeName(beside: file.path))
        }
    }
}
