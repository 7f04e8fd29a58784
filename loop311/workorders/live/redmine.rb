# Run inside a new Redmine: REST on, one project, two people with keys. Our user may not set 'Feedback', so that
# there is a step which the workflow forbids.
Setting.rest_api_enabled = '1'
Setting.text_formatting = ENV['MARKUP']
number = IssueCustomField.create!(name: 'Loop311 number', field_format: 'string', is_for_all: true, is_filter: true, searchable: true, trackers: Tracker.all)
depth = IssueCustomField.create!(name: 'Depth', field_format: 'list', possible_values: ['shallow', 'deep'], is_for_all: true, is_filter: true, trackers: Tracker.all)
project = Project.create!(name: 'Streets', identifier: 'streets', is_public: false, trackers: Tracker.all, issue_custom_fields: [number, depth])
role = Role.create!(name: 'Loop311', permissions: [:view_issues, :add_issues, :edit_issues, :add_issue_notes])
boss = Role.create!(name: 'Foreman', permissions: [:view_issues, :add_issues, :edit_issues, :add_issue_notes, :delete_issues])
IssueStatus.all.to_a.product(IssueStatus.all.to_a).each do |from, to|
  next if from == to
  Tracker.all.each do |tracker|
    WorkflowTransition.create!(tracker: tracker, role: boss, old_status: from, new_status: to)
    next if to.name == 'Feedback'
    WorkflowTransition.create!(tracker: tracker, role: role, old_status: from, new_status: to)
  end
end
keys = {loop311: role, foreman: boss}.map do |login, as|
  user = User.new(firstname: login.to_s, lastname: 'Streets', mail: "#{login}@example.org", language: 'en')
  user.login = login.to_s
  user.password = user.password_confirmation = 'only-for-tests'
  user.save!
  Member.create!(project: project, principal: user, roles: [as])
  [login, Token.create!(user: user, action: 'api').value]
end
puts keys.to_h.merge(field: number.id).to_json
