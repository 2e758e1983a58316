{{- define "pumpkin.labels" -}}
app.kubernetes.io/name: pumpkin
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* What selects one part's pods: (list . "hub"). */}}
{{- define "pumpkin.selector" -}}
app.kubernetes.io/name: pumpkin
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "pumpkin.image" -}}
{{ .Values.image.platform }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* The platform as pods reach it: the proxy, and nothing behind it. */}}
{{- define "pumpkin.url" -}}
http://pumpkin.{{ .Release.Namespace }}:8000{{ .Values.baseUrl | trimSuffix "/" }}
{{- end }}

{{- define "pumpkin.publicUrl" -}}
{{ ternary "https" "http" (ne .Values.ingress.tlsSecret "") }}://{{ .Values.ingress.host }}{{ .Values.baseUrl }}
{{- end }}

{{- define "pumpkin.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
- name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Pod Security "restricted", and a read-only root on top. */}}
{{- define "pumpkin.restricted" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}
