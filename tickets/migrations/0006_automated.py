from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tickets", "0005_turns")]

    operations = [
        migrations.AddField(
            model_name="ticket",
            name="automated",
            field=models.BooleanField(default=False, editable=False),
        ),
    ]
